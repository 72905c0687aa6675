"""Multi-view stereo on any torch device: depth and normal maps that COLMAP's fusion reads.

depth_views.py    the undistorted photos: cameras, which to compare with which, how far the scene is
cost.py           how well a map of planes explains what other photos see
planes.py         planes per pixel: fitting, normals
sparse_planes.py  planes through the sparse points, for steep surfaces
plane_sweep.py    the plain method: try all depths
cascade.py        the better method: from coarse to fine, with windows that follow the surface
silhouettes.py    pixels beside an edge whose depth is not their own
consistency.py    which depths other photos confirm; specks
depth_forecast.py how long it takes, and what fits into memory
estimate.py       all photos of a workspace, resumed, and with less when a device fails
depth_maps.py     COLMAP's files of depth and normal maps
fusion.py         COLMAP's fusion of the maps into one cloud
"""
