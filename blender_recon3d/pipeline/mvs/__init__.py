"""Multi-view stereo on any torch device: depth and normal maps that COLMAP's fusion reads.

views.py        the undistorted photos: cameras, which to compare with which, how far the scene is
cost.py         how well a map of planes explains what other photos see
planes.py       planes per pixel: fitting, moving, normals
plane_sweep.py  the plain method: try all depths
cascade.py      the better method: from coarse to fine, with windows that follow the surface
maps.py         COLMAP's files of depth and normal maps
"""
