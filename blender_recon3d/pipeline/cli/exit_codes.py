"""How `recon3d` ends: its exit codes, and what it says where a run was stopped or had no memory."""

from ..wording import RESUME, Sentence, use

DONE, FAILED, BAD_USAGE, CANCELLED = 0, 1, 2, 3
CANCELLED_TEXT = Sentence("Cancelled; ", RESUME, " to continue.")
NO_MEMORY_TEXT = Sentence("Out of memory: ", use("quality", "preview"), ", or close other programs.")
