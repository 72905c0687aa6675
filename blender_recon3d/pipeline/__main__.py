"""`python -m blender_recon3d.pipeline`, the same as `recon3d`."""

import sys

from .system import startup


def main() -> int:
    """The process's entry point: handles signals before the rest is imported."""
    startup.begin()
    from .cli.recon3d import main as command_line

    return command_line()


if __name__ == "__main__":
    sys.exit(main())
