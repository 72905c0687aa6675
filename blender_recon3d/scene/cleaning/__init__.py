"""Non-destructive removal of points that do not belong to the subject."""
