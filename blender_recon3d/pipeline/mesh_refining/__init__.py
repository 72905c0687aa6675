"""Photometric refinement of a mesh: its vertices move along their normals until the photos agree on what they show.

refine_mesh     all of these in rounds, from coarse to fine
gray_views      the undistorted photos in gray, within a bound on memory
surface_views   how each photo sees the mesh: its depth, which vertices it shows, which photos a vertex is judged by
windows         small pieces of the surface about vertices, as a photo shows them
agreement       how well photos agree on the windows, moved along the normals
displacement    from agreement to a displacement of each vertex, smooth where there is no evidence
subdivision     more vertices where the mesh is coarser than the photos
"""
