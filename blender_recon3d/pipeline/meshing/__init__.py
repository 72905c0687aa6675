"""From a dense cloud to a clean triangle mesh, each file one idea.

cloud       reading and thinning the cloud     cleaning   outliers, islands, what lies beyond the cameras
region      what is kept: subject, crop box    poisson    COLMAP's Poisson and decimation in a child process
mesh        triangles and their topology       trimming   no surface far from any point
repair      non-manifold, loose, small holes   colours    the cloud's colours at the mesh's vertices
"""
