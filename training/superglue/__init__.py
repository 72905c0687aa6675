"""SuperGlue's training: python -m training.superglue"""
