"""From a mesh and the photos to a texture. `..stages.texture` combines these modules.

texture_views  the photos and their cameras, one photo in memory at a time
raster         triangles to pixels, in numpy
visibility     which part of the mesh a photo shows, and how reliable its pixels are
photo_background  where a photo shows the background behind the mesh's rim
unwrap         UVs
photo_detail   how many texels show all of the photos' detail, told in advance
texels         the texels on the mesh, and their positions
samples        the color of every vertex in every photo
exposure       one gain per photo and channel, so that photos agree
choice         the weight of each photo at each vertex
blend          the texels' colors
inpaint        areas not visible in any photo, and the gaps between charts
delight        soft light taken out of the colors
occlusion      ambient occlusion at the vertices
surface_maps   the maps of normals and of occlusion; tangents: what the first refers to
given_mesh     a mesh with its own UVs
paint          all of these in order
originals      photos of more than 8 bits, for textures of more than 8 bits
light_image    a texture as OpenEXR
textured_mesh  the result as a file
"""
