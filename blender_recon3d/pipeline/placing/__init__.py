"""Standing a model up by what is known of the world: `recon3d place`. Only placement.json changes.

upright        which way is up, from the cameras
gps            metres, east and north from the photos' EXIF
markers        ArUco markers in the photos
place_command  the command
"""
