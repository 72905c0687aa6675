"""Photometric refinement of a mesh: its vertices move along their normals until the photos agree.

refine_mesh     all of the following in rounds, from coarse to fine
gray_views      the undistorted photos in gray, within a memory limit
surface_views   how each photo sees the mesh: its depth, the visible vertices, and the photos used for each vertex
windows         small pieces of the surface around vertices, as a photo shows them
agreement       how well photos agree on the windows, moved along the normals
displacement    from agreement to a displacement of each vertex, smooth where there is no evidence
subdivision     more vertices where the mesh is coarser than the photos
"""
