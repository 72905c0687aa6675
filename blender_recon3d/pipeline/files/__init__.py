"""Files that come from anywhere: opened only when they are files, and read without trust in what they hold."""
