"""The scene's asset and cameras as files of other programs."""
