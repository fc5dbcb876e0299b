"""A result as one self-contained HTML page: page images with boxes beside the fields and their evidence. Knows records and HTML only."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from docpipe.records import Result
from docpipe.view.model import Picture, groups_of, issues_without_field, sheets_of

HOME = Path(__file__).resolve().parent
# What could end the script element or, in old engines, a string in it.
_UNSAFE_IN_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def build_html(result: Result[Any], pictures: Mapping[int, Picture]) -> str:
    """The page, without one reference to anything outside it. All text is escaped, and its content security policy runs no script but
    its own; `pictures` are by page number, a page without one is an empty frame."""
    environment = Environment(
        loader=FileSystemLoader(HOME), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    script = (HOME / "view.js").read_text(encoding="utf-8")
    return environment.get_template("view.html").render(
        result=result,
        sheets=sheets_of(result, pictures),
        groups=groups_of(result),
        issues=issues_without_field(result),
        style=Markup((HOME / "view.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        data=script_json(json.loads(result.to_json(indent=None))),
    )


def script_json(value: Any) -> Markup:
    """JSON that can stand inside a script element whatever its strings hold."""
    return Markup(json.dumps(value, ensure_ascii=False).translate(_UNSAFE_IN_SCRIPT))
