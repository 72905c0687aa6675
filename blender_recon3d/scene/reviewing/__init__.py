"""The review of the photos, and looking through one."""
