"""Refining a finished model: every observation to a tenth of a pixel, then cameras and points once more.

Read `refine_model` first. Arrays of observations are indexed by o, points by p, photos by v, samples of a patch by s;
pixels are COLMAP's, where the center of the first one is (.5, .5); poses are cam_from_world.
"""
