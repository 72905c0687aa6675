"""The folder on the engine's PYTHONPATH: contains only the package `recon3d_engine`."""
