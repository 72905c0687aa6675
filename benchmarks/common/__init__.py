"""What several measurements share: scenes, truth, peers, measures."""
