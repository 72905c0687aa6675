"""Exit codes of `recon3d`, and its messages for a run that was cancelled, paused or ran out of memory."""

from typing import Any

from ..wording import RESUME, Sentence, use

DONE, FAILED, BAD_USAGE, CANCELLED = 0, 1, 2, 3
CANCELLED_TEXT = Sentence("Cancelled; ", RESUME, " to continue.")
PAUSED_TEXT = Sentence("Paused; ", RESUME, " to continue.")
NO_MEMORY_TEXT = Sentence("Out of memory: ", use("quality", "preview"), ", or close other programs.")


def stop_told(paused: bool) -> tuple[Sentence, dict[str, Any]]:
    """The message and the data of the event with which a run ends that the user has stopped."""
    if paused:
        return PAUSED_TEXT, {"exit_code": CANCELLED, "paused": True}
    return CANCELLED_TEXT, {"exit_code": CANCELLED}
