"""From a dense cloud to a clean triangle mesh.

build_mesh      all of the following, in order     point_cloud  reading and thinning the cloud
cloud_cleaning  outliers, islands                  region       what is kept: subject, crop box
poisson         COLMAP's Poisson and decimation    trimming     removes surface far from all points
topology        triangles and their topology       repair       non-manifold, loose, small holes
colors          the cloud's colors at the mesh's vertices
"""
