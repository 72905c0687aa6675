"""From a dense cloud to a clean triangle mesh, each file one idea.

build_mesh      all of these in order              point_cloud  reading and thinning the cloud
cloud_cleaning  outliers, islands                  region       what is kept: subject, crop box
poisson         COLMAP's Poisson and decimation    trimming     no surface far from any point
topology        triangles and their topology       repair       non-manifold, loose, small holes
colors         the cloud's colors at the mesh's vertices
"""
