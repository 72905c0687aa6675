"""The graph of verified pairs as SVG: photos on a circle in their order, a chord for each pair."""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup

from ..documents.photos_json import PhotoState
from ..documents.registration_json import RegistrationState
from ..documents.report_json import ReportedPair, ReportedPhoto
from .markup import join, tag

SIZE = 640  # of the drawing
RADIUS = 232  # of the circle; the rest is for names
MAX_EDGES = 6000  # only the strongest are drawn
MAX_NAMES = 72  # with more photos, names appear only in tooltips
LEVELS = 6  # widths and opacities


def pair_graph(photos: list[ReportedPhoto], pairs: list[ReportedPair]) -> Markup | None:
    """An inline SVG; None if no photos are used or no pairs are known."""
    names = [photo.name for photo in photos if photo.used]
    if not names or not pairs:
        return None
    places = {name: _place(number, len(names)) for number, name in enumerate(names)}
    edges = [
        (pair.inliers, *pair.photos)
        for pair in pairs
        if pair.inliers and pair.photos[0] in places and pair.photos[1] in places
    ]
    edges = sorted(edges)[-MAX_EDGES:]
    partners = dict.fromkeys(names, 0)
    for _, first, second in edges:
        partners[first] += 1
        partners[second] += 1
    states = {photo.name: _state(photo) for photo in photos}
    return tag(
        "svg",
        tag("g", *_chords(edges, places), class_="chords"),
        tag("g", *(_node(name, places[name], states[name], partners[name], len(names)) for name in names)),
        viewBox=f"{-SIZE / 2} {-SIZE / 2} {SIZE} {SIZE}",
        class_="graph",
        role="img",
        aria_label=f"{len(names)} photos and {len(edges)} verified pairs between them",
    )


def _place(number: int, count: int) -> tuple[float, float]:
    angle = 2 * math.pi * number / count - math.pi / 2
    return RADIUS * math.cos(angle), RADIUS * math.sin(angle)


def _state(photo: ReportedPhoto) -> str:
    return photo.registration.state if photo.registration else photo.state


def _chords(edges: list[tuple[int, str, str]], places: dict[str, tuple[float, float]]) -> list[Markup]:
    """One path for each of a few levels of strength, the weakest first, so that strong pairs are on top."""
    if not edges:
        return []
    strength = np.log([edge[0] for edge in edges])
    spread = max(float(np.ptp(strength)), 1e-9)
    level = np.minimum(((strength - strength.min()) / spread * LEVELS).astype(int), LEVELS - 1)
    thin = 1.0 if len(edges) < 600 else 0.5
    paths = []
    for number in range(LEVELS):
        commands = []
        for index in np.flatnonzero(level == number):
            (x1, y1), (x2, y2) = places[edges[index][1]], places[edges[index][2]]
            # Curved inward, so that pairs of neighbors stand out from the circle.
            commands.append(f"M{x1:.1f} {y1:.1f}Q{(x1 + x2) / 4:.1f} {(y1 + y2) / 4:.1f} {x2:.1f} {y2:.1f}")
        if commands:
            share = (number + 1) / LEVELS
            style = {
                "stroke_width": thin * (0.4 + 2.2 * share**2),
                "stroke_opacity": thin * (0.12 + 0.7 * share),
            }
            paths.append(tag("path", d="".join(commands), **style))
    return paths


def _node(name: str, place: tuple[float, float], state: str, partners: int, count: int) -> Markup:
    x, y = place
    size = 5.0 if count <= MAX_NAMES else max(1.5, 330 / count)
    dot = tag("circle", cx=round(x, 1), cy=round(y, 1), r=round(size, 2), class_=css_class(state))
    label = None
    if count <= MAX_NAMES:
        angle = math.degrees(math.atan2(y, x))
        flipped = abs(angle) > 90
        label = tag(
            "text",
            shorten(name, 16),
            transform=f"rotate({angle + 180 * flipped:.1f}) translate({(RADIUS + 10) * (-1 if flipped else 1)} 0)",
            text_anchor="end" if flipped else "start",
            dominant_baseline="central",
        )
    tooltip = f"{name}: {state}, {partners} verified pair{'s' * (partners != 1)}"
    return tag("g", tag("title", tooltip), join(dot, label))


def css_class(state: str) -> str:
    """The CSS class of a photo's state, which sets its color."""
    known: dict[str, str] = {
        RegistrationState.REGISTERED: "good",
        RegistrationState.OTHER_MODEL: "fair",
        RegistrationState.NOT_REGISTERED: "bad",
        PhotoState.SET_ASIDE: "off",
    }
    return known.get(state, "plain")


def shorten(name: str, max_length: int) -> str:
    """A name shortened to at most `max_length` characters, keeping its beginning and its end."""
    return name if len(name) <= max_length else f"{name[: max_length - 6]}…{name[-5:]}"
