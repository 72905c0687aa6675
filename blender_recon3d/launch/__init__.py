"""Put on the engine's PYTHONPATH: holds the package `recon3d_engine` and nothing else."""
