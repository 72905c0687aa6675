"""From a mesh and the photos to a texture. Each module is one idea; `..stages.texture` puts them together.

texture_views  the photos and their cameras, one photo in memory at a time
raster         triangles to pixels, in numpy
visibility     which part of the mesh a photo shows, and how far that can be trusted
photo_background  where a photo shows what is behind the mesh's rim
unwrap         the mesh laid out flat: UVs
texels         the texels that lie on the mesh, and where
samples        what every photo shows at every vertex
exposure       one gain for each photo and channel, so that photos agree
choice         how much each photo counts at each vertex
blend          the texels' colors
inpaint        what no photo shows, and the gaps between charts
given_mesh     a mesh that came with UVs of its own
paint          all of these in order
textured_mesh  the result as a file
"""
