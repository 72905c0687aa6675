"""The reconstruction engine: from photos to cameras, cloud and mesh. Never imports bpy."""

# pycolmap aborts the process ("free(): invalid pointer") when imported before zlib is first used.
import zlib as _zlib  # noqa: F401
