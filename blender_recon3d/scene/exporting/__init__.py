"""Export the scene's asset and cameras for other programs."""
