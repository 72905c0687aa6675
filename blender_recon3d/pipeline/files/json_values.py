"""Convert values from untrusted JSON to the expected type or a default.

JSON may have integers of any length, NaN and Infinity (in Python), and any type anywhere. Panels and reports use
`number`, `whole`, `text`, `items` and `mapping`, which never raise; `numbers` and `parse` are for required values and
raise only ValueError. Standard library only; `numbers` needs numpy.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

MAX_BYTES = 256 << 20  # of a JSON file; ours have less than a hundredth
LARGEST_WHOLE = 2**53  # larger integers are not exact as floats


def parse(content: bytes | str) -> Any:
    """The parsed value; ValueError if it is not JSON, or nested too deeply."""
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def number(value: Any, otherwise: float = 0.0) -> float:
    """A finite float; `otherwise` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return otherwise
    try:
        parsed = float(value)
    except OverflowError:
        return otherwise
    return parsed if math.isfinite(parsed) else otherwise


def whole(value: Any, otherwise: int = 0, minimum: int = -LARGEST_WHOLE, maximum: int = LARGEST_WHOLE) -> int:
    """An integer clamped to `minimum` and `maximum`; `otherwise` if it is not a finite number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return max(minimum, min(maximum, value))
    parsed = number(value, math.nan)
    return otherwise if math.isnan(parsed) else max(minimum, min(maximum, int(parsed)))


def text(value: Any, otherwise: str = "") -> str:
    """An unchanged string; `otherwise` for anything else. For display, also apply `events.printable`."""
    return value if isinstance(value, str) else otherwise


def items(value: Any) -> list[Any]:
    """A list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def mapping(value: Any) -> dict[str, Any]:
    """An object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def numbers(value: Any, *shape: int) -> np.ndarray:
    """float64 of this shape (any, where none is given), all finite. ValueError for anything else."""
    import numpy as np

    try:
        array = np.array(value, np.float64)
    except (TypeError, OverflowError, RecursionError) as error:
        raise ValueError("it contains something that is not a number") from error
    if shape and array.shape != shape:
        raise ValueError(f"it has numbers of shape {array.shape}, not {shape}")
    if not np.isfinite(array).all():
        raise ValueError("not all of its numbers are finite")
    return array
