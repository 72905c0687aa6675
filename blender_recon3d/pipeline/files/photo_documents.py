"""What photos.json and registration.json must hold for the stages and the report to read them. Standard library only.

Both are files of a workspace, which may come from anybody and may be damaged.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import FileFormatError
from .json_values import items, mapping, number, text, whole

_TEXTS = ("name", "source", "state", "reason", "make", "model")
_LARGEST_SIDE = 1 << 20  # pixels


def check_document(document: dict[str, Any], path: Path) -> None:
    """FileFormatError where photos.json would lead a stage astray; what old versions leave out may be missing."""
    photos, cameras = document.get("photos"), document.get("cameras", [])
    if not isinstance(photos, list) or not isinstance(cameras, list):
        raise FileFormatError(path, "it holds no list of photos")
    for place, camera in enumerate(cameras, 1):
        if not _is_camera(camera, place):
            raise FileFormatError(path, f"its camera {place} is damaged")
    for place, photo in enumerate(photos, 1):
        if not _is_photo(photo, len(cameras)):
            raise FileFormatError(path, f"its photo {place} is damaged")
    names = [photo["name"] for photo in photos if photo["state"] == "used"]
    if len(set(names)) != len(names):
        raise FileFormatError(path, "two of its photos have the same name")


def _is_camera(camera: Any, place: int) -> bool:
    """Cameras are numbered from 1 in their order, which is how photos name them."""
    if not isinstance(camera, dict) or camera.get("id") != place:
        return False
    params = camera.get("params")
    return (
        all(isinstance(camera.get(key), str) for key in ("model", "prior"))
        and all(0 < whole(camera.get(key)) <= _LARGEST_SIDE for key in ("width", "height"))
        and isinstance(params, list)
        and all(number(value, -1e300) > -1e300 for value in params)
    )


def _is_photo(photo: Any, cameras: int) -> bool:
    if not isinstance(photo, dict) or not all(isinstance(photo.get(key, ""), str) for key in _TEXTS):
        return False
    if "state" not in photo or "source" not in photo:
        return False
    place = photo.get("gps")
    if place is not None and not (
        isinstance(place, list) and len(place) == 3 and all(map(_is_number, place))
    ):
        return False
    if photo["state"] != "used":
        return True
    used_by = photo.get("camera")
    if used_by is not None and not (_is_number(used_by) and 1 <= used_by <= cameras):
        return False
    return _is_file_name(text(photo.get("name")))


def _is_number(value: Any) -> bool:
    return number(value, 0.0) == number(value, 1.0)


def _is_file_name(name: str) -> bool:
    """A name in the folder images, and no way out of it."""
    return bool(name) and name.isprintable() and not set(name) & set("/\\:") and name not in (".", "..")


def clean_registration(document: dict[str, Any]) -> dict[str, Any]:
    """registration.json with numbers and texts where they belong; what is no entry at all is left out."""
    photos = {
        name: {
            **entry,
            "state": text(entry["state"]),
            "reason": text(entry.get("reason")),
            "points": whole(entry.get("points"), least=0),
            "error": number(entry.get("error"), -1.0) if number(entry.get("error"), -1.0) >= 0 else None,
            "model": whole(entry.get("model"), 1, 0),
        }
        for name, entry in mapping(document.get("photos")).items()
        if isinstance(entry, dict) and isinstance(entry.get("state"), str)
    }
    models = [
        {
            "photos": whole(model.get("photos"), least=0),
            "points": whole(model.get("points"), least=0),
            "error": number(model.get("error")),
            "track_length": number(model.get("track_length")),
        }
        for model in items(document.get("models"))
        if isinstance(model, dict)
    ]
    return {**document, "photos": photos, "models": models}
