"""SVG with all text escaped unless it was created here. The page itself uses Jinja."""

from __future__ import annotations

import base64
from typing import cast

from markupsafe import Markup, escape


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """An element. Children that are not Markup are escaped, and so are all attribute values.

    A trailing underscore is dropped from attribute names (class_), others become hyphens (stroke_width).
    Attributes and children that are None are skipped.
    """
    parts = [name]
    for key, value in attributes.items():
        if value is not None:
            parts.append(f'{key.rstrip("_").replace("_", "-")}="{escape(shown(value))}"')
    return Markup(f"<{' '.join(parts)}>{join(*children)}</{name}>")


def join(*children: object) -> Markup:
    """The children one after the other, escaped unless they are Markup."""
    return Markup("").join(cast(str, shown(child)) for child in children if child is not None)


def data_url(kind: str, content: bytes) -> str:
    """An image of type `kind` ("jpeg", "png") as a data URL."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def shown(value: object) -> object:
    """A value as text: Markup unchanged, numbers with six digits, without characters that HTML does not allow."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, float):
        return f"{value:.6g}"
    # File names may hold control characters.
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in str(value))
