"""Standing a model up by what is known of the world: `recon3d place`. Only placement.json changes.

up             which way is up: from the cameras, GPS or the dominant plane
ground         the plane that a scene stands on
upright        how a model stands: up, ground, the first camera's view
gps            meters, east, north and up from the photos' EXIF
placing_doubts what speaks against it
markers        ArUco markers in the photos
kept_placement what was set, kept when the cameras are found again
place_command  the command
"""
