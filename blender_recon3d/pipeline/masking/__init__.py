"""Masks: which pixels of a photo show the subject. Made from the photos themselves, or from a first model."""
