"""Advice on photos that were not registered or are weakly constrained."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from statistics import median

from ..documents.photos_json import PhotoEntry, PhotosDocument
from ..documents.registration_json import PhotoRegistration, RegistrationDocument, RegistrationState
from ..documents.report_json import Advice
from ..files.user_path import recorded_path
from ..loose_photos import MIN_POINTS, error_limit

BLURRED = 6.0  # times less detail than the registered photos (variance of the Laplacian; sharp ones stay within 2.3)
NAMED = 3  # photos named in a message

Links = Mapping[tuple[str, str], tuple[int, int]]  # names -> verified matches, matches
Registered = Mapping[str, PhotoRegistration]
_NOT_REGISTERED = RegistrationState.NOT_REGISTERED


def advise(document: PhotosDocument, registration: RegistrationDocument, links: Links) -> list[Advice]:
    """Advice, the most serious first. links: for pairs of names as in photos.json."""
    used, photos = document.used, registration.photos
    advice = _left_out(used, photos, links) if photos else []
    advice += _loose(used, photos)
    return advice + _set_aside(document)


def _left_out(used: list[PhotoEntry], photos: Registered, links: Links) -> list[Advice]:
    titles = _titles(used)
    order = [photo.name for photo in used]
    blurred = _blurred(used, photos)
    state = {name: photos[name].state if name in photos else _NOT_REGISTERED for name in order}
    placed = [name for name in order if state[name] == RegistrationState.REGISTERED]
    advice = []
    if blurred:
        verb = "are" if len(blurred) > 1 else "is"
        text = f"{_names(blurred, titles)} {verb} blurred and could not be registered: take "
        text += "them again, sharp." if len(blurred) > 1 else "it again, sharp."
        advice.append(Advice(text=text, photos=blurred))
    for group in _groups([name for name in order if name not in blurred], photos, state):
        count = f"{len(group)} photos" if len(group) > 1 else "1 photo"
        which = _names(group, titles)
        if not placed:
            text = f"{count} could not be registered ({which}): take photos that overlap by two thirds."
        elif _mutually_linked(group, photos):
            inside, outside = _bridge(group, placed, order, links)
            text = (
                f"{count} ({which}) form a separate group: take some between {titles[inside]} and "
                f"{titles[outside]}."
            )
        else:
            text = f"{count} ({which}) {_cause(group, placed, order, titles, links)}"
        advice.append(Advice(text=text, photos=group))
    return sorted(advice, key=lambda item: -len(item.photos))


def _blurred(used: list[PhotoEntry], photos: Registered) -> list[str]:
    """The photos that are not registered and have far less detail than the registered ones."""
    sharp = [photo.sharpness for photo in used if photo.name in photos and photos[photo.name].registered]
    if not sharp or not median(sharp) > 0:
        return []
    limit = median(sharp) / BLURRED
    left_out = [
        photo for photo in used if photo.name not in photos or photos[photo.name].state == _NOT_REGISTERED
    ]
    return [photo.name for photo in left_out if 0 < photo.sharpness < limit]


def _cause(
    group: list[str], placed: list[str], order: list[str], titles: dict[str, str], links: Links
) -> str:
    """Why sharp photos were not registered, and what to do: a gap in the capture, or they show something else.

    Photos that share nothing with any other count as unrelated if their neighbors see each other, or at an end.
    """
    before, after = _around(group, placed, order)
    counts = [links[pair] for a in group for b in placed for pair in ((a, b), (b, a)) if pair in links]
    shares = not links or any(verified for verified, _ in counts)
    closed = (
        before and after and max(links.get((before, after), (0,))[0], links.get((after, before), (0,))[0])
    )
    if shares or (before and after and not closed):
        verb = "overlap" if len(group) > 1 else "overlaps"
        return f"{verb} too little with the rest: take some {_between(group, placed, order, titles)}."
    one = len(group) == 1
    return (
        f"{'has' if one else 'have'} nothing in common with the rest: leave {'it' if one else 'them'} out, or, where "
        f"{'it shows' if one else 'they show'} the subject, take photos that lead up to {'it' if one else 'them'}."
    )


def _groups(order: list[str], photos: Registered, state: dict[str, RegistrationState]) -> list[list[str]]:
    """The photos that are not in the main model: by other model, and by runs of neighbors in the order taken."""
    models: dict[int, list[str]] = defaultdict(list)
    runs: list[list[str]] = []
    before = ""
    for name in order:
        if state[name] == RegistrationState.OTHER_MODEL:
            models[photos[name].model or 1].append(name)
        elif state[name] == _NOT_REGISTERED:
            if before and state[before] == state[name]:
                runs[-1].append(name)
            else:
                runs.append([name])
        before = name
    return [*models.values(), *runs]


def _mutually_linked(group: list[str], photos: Registered) -> bool:
    return group[0] in photos and photos[group[0]].state == RegistrationState.OTHER_MODEL


def _bridge(group: list[str], placed: list[str], order: list[str], links: Links) -> tuple[str, str]:
    """The photo of the group and the registered photo that match best; neighbors in the order if none match."""
    best = max(
        ((max(links.get((a, b), (0, 0)), links.get((b, a), (0, 0))), a, b) for a in group for b in placed),
        key=lambda entry: entry[0],
    )
    if best[0] > (0, 0):
        return best[1], best[2]
    place = {name: number for number, name in enumerate(order)}
    return min(((a, b) for a in group for b in placed), key=lambda pair: abs(place[pair[0]] - place[pair[1]]))


def _around(group: list[str], placed: list[str], order: list[str]) -> tuple[str | None, str | None]:
    """The registered photos before and after the group in the order taken."""
    first, last = order.index(group[0]), order.index(group[-1])
    before = next((name for name in reversed(order[:first]) if name in placed), None)
    return before, next((name for name in order[last + 1 :] if name in placed), None)


def _between(group: list[str], placed: list[str], order: list[str], titles: dict[str, str]) -> str:
    before, after = _around(group, placed, order)
    if before and after:
        return f"between {titles[before]} and {titles[after]}"
    if before:
        return f"between {titles[before]} and {titles[group[0]]}"
    return f"between {titles[group[-1]]} and {titles[after or placed[0]]}"


def _loose(used: list[PhotoEntry], photos: Registered) -> list[Advice]:
    titles = _titles(used)
    placed = {name: entry for name, entry in photos.items() if entry.registered and name in titles}
    errors = [entry.error for entry in placed.values() if entry.error is not None]
    advice = []
    weak = [name for name, entry in placed.items() if entry.points < MIN_POINTS]
    if weak:
        text = f"{_names(weak, titles)} stand{'s' * (len(weak) == 1)} on fewer than {MIN_POINTS} points: "
        text += "take photos from nearby with more of the subject in view."
        advice.append(Advice(text=text, photos=weak))
    limit = error_limit(errors)
    bad = [name for name, entry in placed.items() if (entry.error or 0) > limit]
    if errors and bad:
        text = f"{_names(bad, titles)} fit{'s' * (len(bad) == 1)} badly (over {limit:.1f} px): "
        text += "check them for blur and moving objects, and leave them out."
        advice.append(Advice(text=text, photos=bad))
    return advice


def _set_aside(document: PhotosDocument) -> list[Advice]:
    """One message per reason, ignoring the parts in parentheses, which differ between photos."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for photo in document.photos:
        if not photo.used:
            reasons[re.sub(r" ?\(.*?\)", "", photo.reason)].append(recorded_path(photo.source).name)
    advice = []
    for reason, names in reasons.items():
        count = f"{len(names)} photos are" if len(names) > 1 else f"{names[0]} is"
        listed = f" ({_listed(names)})" if len(names) > 1 else ""
        advice.append(Advice(text=f"{count} excluded{listed}: {reason}."))
    return advice


def _titles(used: list[PhotoEntry]) -> dict[str, str]:
    return {photo.name: f"{recorded_path(photo.source).stem} {photo.side}".strip() for photo in used}


def _names(names: list[str], titles: dict[str, str]) -> str:
    return _listed([titles.get(name, name) for name in names])


def _listed(names: list[str]) -> str:
    if len(names) <= NAMED:
        return ", ".join(names)
    return f"{names[0]} to {names[-1]}"
