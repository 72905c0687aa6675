"""SuperPoint's training: python -m training.superpoint"""
