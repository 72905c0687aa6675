"""The reconstruction engine: photographs to cameras, cloud and mesh. Never imports bpy."""

# pycolmap aborts the process ("free(): invalid pointer") when it is imported before zlib's first use.
import zlib as _zlib  # noqa: F401
