"""What of a cloud is not the subject, taken away without loss."""
