"""Orientation, scale and location of a model in the world: `recon3d place`. Only placement.json changes.

up             the up axis: from the cameras, GPS or the dominant plane
ground         the ground plane
upright        the placement: up, ground, the first camera's view
gps            meters, east, north and up from the photos' EXIF
placing_doubts evidence against a placement
markers        ArUco markers in the photos
kept_placement the user's placement, kept when the cameras are found again
place_command  the command
"""
