"""Multi-view stereo on any torch device: depth and normal maps for COLMAP's fusion.

depth_views.py    the undistorted photos: cameras, which to compare with each other, the range of depth
cost.py           how well a map of planes explains what other photos see
planes.py         planes per pixel: fitting, normals
sparse_planes.py  planes through the sparse points, for steep surfaces
plane_sweep.py    the simple method: try all depths
cascade.py        the better method: from coarse to fine, with windows that follow the surface
silhouettes.py    pixels at an edge that have taken the depth of the other side
consistency.py    which depths other photos confirm; speckles
depth_speed.py    how fast this machine is at it
depth_forecast.py how long it takes, and what fits into memory
estimate.py       all photos of a workspace, resumable, with less memory or on the CPU when a device fails
depth_maps.py     COLMAP's depth and normal map files
fusion.py         COLMAP's fusion of the maps into one cloud
"""
