"""`python -m blender_recon3d.pipeline`, the same as `recon3d`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
