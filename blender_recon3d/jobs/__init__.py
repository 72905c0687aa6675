"""A run of the engine as Blender follows it: started, watched, found again, and what may be done about its end."""
