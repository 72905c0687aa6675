"""HTML and SVG that cannot be broken by data: every text is escaped unless it was made here."""

from __future__ import annotations

import base64
from html import escape

VOID = frozenset({"img", "meta", "br"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """An element. Children that are not Markup are escaped, and so are all attribute values.

    A trailing underscore is dropped from attribute names (class_), others become hyphens (stroke_width).
    Attributes and children that are None are left out.
    """
    parts = [name]
    for key, value in attributes.items():
        if value is not None:
            parts.append(f'{key.rstrip("_").replace("_", "-")}="{escape(_text(value), quote=True)}"')
    if name in VOID:
        return Markup(f"<{' '.join(parts)}>")
    return Markup(f"<{' '.join(parts)}>{join(*children)}</{name}>")


def join(*children: object) -> Markup:
    """The children one after the other, escaped unless they are Markup."""
    return Markup(
        "".join(
            child if isinstance(child, Markup) else escape(_text(child))
            for child in children
            if child is not None
        )
    )


def data_url(kind: str, content: bytes) -> str:
    """An image of type `kind` ("jpeg", "png") as an address that holds it."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    # Control characters are not allowed in HTML, and file names may hold them.
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in str(value))
