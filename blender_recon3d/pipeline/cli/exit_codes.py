"""Exit codes of `recon3d`, and its messages for a run that was cancelled or ran out of memory."""

from ..wording import RESUME, Sentence, use

DONE, FAILED, BAD_USAGE, CANCELLED = 0, 1, 2, 3
CANCELLED_TEXT = Sentence("Cancelled; ", RESUME, " to continue.")
NO_MEMORY_TEXT = Sentence("Out of memory: ", use("quality", "preview"), ", or close other programs.")
