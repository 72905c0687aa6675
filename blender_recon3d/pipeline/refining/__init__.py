"""Refines a finished model: every observation to a tenth of a pixel, then cameras and points again.

Start with `refine_model`. Arrays of observations are indexed by o, points by p, photos by v, samples of a patch by s;
pixels are COLMAP's, with the center of the first one at (.5, .5); poses are cam_from_world.
"""
