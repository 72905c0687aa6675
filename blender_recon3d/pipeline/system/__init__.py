"""The operating system: programs, child processes, standard streams. Standard library only."""
