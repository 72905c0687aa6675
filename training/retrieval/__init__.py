"""The training of the network that selects pairs: python -m training.retrieval"""
