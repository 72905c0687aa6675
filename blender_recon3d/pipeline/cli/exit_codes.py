"""How `recon3d` ends: its exit codes, and what it says where a run was stopped or had no memory."""

DONE, FAILED, BAD_USAGE, CANCELLED = 0, 1, 2, 3
CANCELLED_TEXT = "Cancelled; run the same command again to continue."
NO_MEMORY_TEXT = "Out of memory: use --quality preview, or close other programs."
