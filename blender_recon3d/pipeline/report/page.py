"""report.html: one file, no script, nothing loaded from anywhere. All data goes through `markup`, which escapes."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from ..doubts import sentence
from ..text import duration
from .graph import css_class
from .markup import Markup, data_url, join, tag
from .style import CSS
from .thumbnails import FEW

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
MOST_NAMED = 2000  # photos listed


def page(facts: dict[str, Any], pictures: dict[str, Any]) -> str:
    """The whole document. facts: of `facts.collect`; pictures: thumbnails, graph, matches and maps."""
    title = f"Recon3D: {'/'.join(PurePath(facts['source']).parts[-2:])}"
    content = tag(
        "main",
        tag("h1", title),
        tag("p", _headline(facts), class_="sub"),
        _tiles(facts),
        _problems(facts),
        _maps(pictures["maps"]),
        _stages(facts),
        _pairs(facts, pictures["graph"]),
        _matches(pictures["matches"]),
        _photos(facts["photos"], pictures["thumbnails"]),
        _models(facts),
        _settings(facts),
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        tag("title", title),
        Markup(f"<style>{CSS}</style>"),
    )
    return "<!DOCTYPE html>\n" + tag("html", head, tag("body", content), lang="en") + "\n"


def _headline(facts: dict[str, Any]) -> str:
    done = [stage["name"] for stage in facts["stages"] if stage["state"] == "done"]
    reached = f"done until {done[-1]}" if done else "no stage is done"
    return f"{facts['written'][:16].replace('T', ' ')}, {reached}. Photos from {facts['source']}."


def _summary(facts: dict[str, Any], stage: str) -> dict[str, Any]:
    return next((entry["summary"] for entry in facts["stages"] if entry["name"] == stage), {})


def _tiles(facts: dict[str, Any]) -> Markup:
    photos = facts["photos"]
    used = [photo for photo in photos if photo["state"] == "used"]
    tiles = []
    if facts["models"]:
        main = facts["models"][0]
        tiles.append((f"{main['photos']} of {len(used)}", "photos registered"))
        tiles.append((f"{main['points']:,}", "sparse points"))
        tiles.append((f"{main['error']:.2f} px", "mean reprojection error"))
    elif photos:
        tiles.append((f"{len(used)} of {len(photos)}", "photos in use"))
    if points := _summary(facts, "dense").get("points"):
        tiles.append((f"{points:,}", "dense points"))
    if faces := _summary(facts, "mesh").get("faces"):
        tiles.append((f"{faces:,}", "faces"))
    seconds = [stage["seconds"] for stage in facts["stages"] if stage["seconds"] is not None]
    memory = [stage["peak_memory_mb"] for stage in facts["stages"] if stage["peak_memory_mb"]]
    if seconds:
        tiles.append((duration(sum(seconds)), "of work"))
    if memory:
        tiles.append((f"{max(memory) / 1024:.1f} GB", "peak memory"))
    return tag("div", *(tag("div", tag("b", big), tag("span", small), class_="tile") for big, small in tiles),
               class_="tiles")  # fmt: skip


def _problems(facts: dict[str, Any]) -> Markup:
    found = facts["problems"]
    stopped = [stage["name"] for stage in facts["stages"] if stage["state"] == "not finished"]
    items = [
        tag("li", tag("em", problem["stage"]), problem["message"], class_=problem["kind"])
        for problem in found
    ]
    for doubt in reversed(facts["doubts"]):
        items.insert(0, tag("li", tag("em", "doubt"), sentence(doubt), class_="warning"))
    for name in stopped:
        text = "This stage was stopped or failed; running the same command again goes on with it."
        items.insert(0, tag("li", tag("em", name), text, class_="error"))
    items += [tag("li", tag("em", "advice"), item["text"], class_="advice") for item in facts["advice"]]
    if not items:
        return _section("Problems", tag("p", "None.", class_="fine"))
    return _section("Problems", tag("ul", *items, class_="problems"))


def _maps(drawn: list[tuple[str, Markup]]) -> Markup | None:
    if not drawn:
        return None
    figures = [tag("figure", picture, tag("figcaption", title)) for title, picture in drawn]
    return _section("Cameras and cloud", *figures, class_="maps")


def _stages(facts: dict[str, Any]) -> Markup:
    longest = max((stage["seconds"] or 0.0 for stage in facts["stages"]), default=0.0)
    rows = []
    for stage in facts["stages"]:
        seconds, memory = stage["seconds"], stage["peak_memory_mb"]
        state = {"done": "good", "not finished": "bad"}.get(stage["state"], "off")
        width = 100 * (seconds or 0) / longest if longest else 0
        rows.append(
            tag(
                "tr",
                tag("td", tag("b", stage["name"])),
                tag("td", tag("span", stage["state"], class_=f"state {state}")),
                tag("td", stage["summary"].get("message", ""), class_="wide"),
                tag("td", duration(seconds) if seconds is not None else "", class_="number"),
                tag(
                    "td",
                    tag("span", class_="bar", style=f"width:{width:.1f}%") if seconds else "",
                    class_="share",
                ),
                tag("td", f"{memory:,} MB" if memory else "", class_="number"),
            )
        )
    head = [("Stage", ""), ("", ""), ("Result", ""), ("Time", "number"), ("", ""), ("Peak memory", "number")]
    return _section("Stages", _table(head, rows))


def _pairs(facts: dict[str, Any], graph: Markup | None) -> Markup | None:
    pairs = facts["pairs"]
    if not pairs:
        return None
    inliers = sorted(pair["inliers"] for pair in pairs if pair["inliers"])
    rows = [("Pairs listed", f"{len(pairs):,}")]
    if any(pair["matches"] is not None for pair in pairs):
        rows.append(("Verified", f"{len(inliers):,}"))
    if inliers:
        rows.append(("Verified matches", f"{sum(inliers):,}"))
        rows.append(("A pair: least, median, most",
                     f"{inliers[0]:,}, {inliers[len(inliers) // 2]:,}, {inliers[-1]:,}"))  # fmt: skip
    text = "Photos stand on the circle in their order; the stronger a line, the more verified matches."
    facts_list = tag("div", _facts(rows), tag("p", text, class_="sub"))
    return _section("Pairs", tag("div", graph, facts_list, class_="two") if graph and inliers else facts_list)


def _matches(drawn: list[Any]) -> Markup | None:
    if not drawn:
        return None
    figures = []
    for picture in drawn:
        first, second = picture.photos
        shown = f", {picture.drawn} of them drawn" if picture.drawn < picture.inliers else ""
        text = f"{first} and {second}. {picture.inliers:,} of {picture.matches:,} matches verified{shown}."
        figures.append(
            tag(
                "figure",
                tag("img", src=data_url("jpeg", picture.jpeg), alt=f"Matches of {first} and {second}"),
                tag("figcaption", tag("b", picture.title + ": "), text),
            )
        )
    return _section("Matches", *figures, class_="matches")


def _photos(photos: list[dict[str, Any]], thumbnails: dict[int, bytes]) -> Markup | None:
    if not photos:
        return None
    many = len(photos) > FEW
    figures = [_photo(photo, thumbnails.get(number)) for number, photo in enumerate(photos[:MOST_NAMED])]
    left = len(photos) - len(figures)
    return _section(
        "Photos",
        tag("div", *figures, class_="photos many" if many else "photos"),
        tag("p", f"{left:,} more are in report.json.", class_="sub") if left else None,
    )


def _photo(photo: dict[str, Any], thumbnail: bytes | None) -> Markup:
    name = PurePath(photo["source"].replace("\\", "/")).name
    registration = photo.get("registration") or {}
    state = registration.get("state") or photo["state"]
    reason = registration.get("reason") or photo["reason"]
    lines = []
    if registration.get("points"):
        lines.append(f"{registration['points']:,} points, {registration['error']:.2f} px")
    if reason:
        lines.append(reason)
    shown = (
        tag("img", src=data_url("jpeg", thumbnail), alt=name) if thumbnail else tag("span", "cannot be shown")
    )
    caption: list[object] = [tag("b", name), tag("span", state, class_=f"state {css_class(state)}")]
    caption += [part for line in lines for part in (tag("br"), line)]
    return tag(
        "figure", tag("div", shown, class_="frame"), tag("figcaption", *caption), class_=css_class(state),
        title=photo["source"],
    )  # fmt: skip


def _models(facts: dict[str, Any]) -> Markup | None:
    parts: list[Markup] = []
    if facts["models"]:
        head = [("Model", ""), ("Photos", "number"), ("Points", "number"), ("Error", "number"),
                ("Photos a point", "number")]  # fmt: skip
        rows = [
            _row(
                [f"sparse/{number}"],
                [
                    f"{model['photos']:,}",
                    f"{model['points']:,}",
                    f"{model['error']:.3f} px",
                    f"{model.get('track_length', 0):.2f}",
                ],
            )
            for number, model in enumerate(facts["models"])
        ]
        parts.append(_table(head, rows))
    if facts["cameras"]:
        head = [("Camera", ""), ("Model", ""), ("Size", ""), ("Photos", ""), ("Focal prior", ""),
                ("Parameters before", ""), ("and after", "")]  # fmt: skip
        rows = [
            _row(
                [
                    str(camera["id"]),
                    camera["model"],
                    f"{camera['width']} x {camera['height']}",
                    str(camera["photos"]),
                    camera["prior"],
                    _numbers(camera["params"]),
                    _numbers(camera.get("refined", [])),
                ],
                [],
            )
            for camera in facts["cameras"]
        ]
        parts += [tag("h3", "Cameras"), _table(head, rows)]
    return _section("Models and cameras", *parts) if parts else None


def _settings(facts: dict[str, Any]) -> Markup:
    settings = facts["settings"]
    general = [(name, _value(value)) for name, value in settings.items() if not isinstance(value, dict)]
    groups = [(name, values) for name, values in settings.items() if isinstance(values, dict)]
    versions = [(name, value or "not installed") for name, value in facts["versions"].items()]
    device = facts["device"]
    if device:
        memory = f", {device['memory_gb']} GB" if device["memory_gb"] else ""
        cards = f", {', '.join(device['cuda'])}" if device["cuda"] else ""
        versions.append(("machine", f"{device['cores']} cores, {device['processor']}{memory}{cards}"))
    if facts["arithmetic"]:
        text = "{precision} ({why})".format(**facts["arithmetic"])
        versions.append(("arithmetic of the networks", text))
    prints = [(stage["name"], stage["fingerprint"] or "not run") for stage in facts["stages"]]
    return _section(
        "Settings and versions",
        _facts(general),
        *(
            tag(
                "details",
                tag("summary", name),
                _facts([(key, _value(value)) for key, value in values.items()]),
            )
            for name, values in groups
        ),
        tag("h3", "Versions"),
        _facts(versions),
        tag("h3", "Fingerprints (inputs and settings of each stage)"),
        tag(
            "dl",
            *(join(tag("dt", name), tag("dd", tag("code", text))) for name, text in prints),
            class_="facts",
        ),
    )


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value[:20]) + (" …" if len(value) > 20 else "")
    return "-" if value == "" else "yes" if value is True else "no" if value is False else str(value)


def _numbers(values: list[float]) -> str:
    return ", ".join(f"{value:.5g}" for value in values)


def _section(title: str, *children: object, class_: str | None = None) -> Markup:
    return tag("section", tag("h2", title), *children, class_=class_)


def _facts(rows: list[tuple[str, str]]) -> Markup:
    return tag("dl", *(join(tag("dt", name), tag("dd", value)) for name, value in rows), class_="facts")


def _row(texts: list[str], numbers: list[str]) -> Markup:
    return tag(
        "tr", *(tag("td", text) for text in texts), *(tag("td", text, class_="number") for text in numbers)
    )


def _table(head: list[tuple[str, str]], rows: list[Markup]) -> Markup:
    cells = [tag("th", text, class_=kind or None, scope="col") for text, kind in head]
    return tag("div", tag("table", tag("thead", tag("tr", *cells)), tag("tbody", *rows)), class_="scroll")
