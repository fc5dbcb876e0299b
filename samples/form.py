"""A registration form with boxes to write in and boxes to tick."""

from __future__ import annotations

from typing import Any

import pymupdf
from paper import Sheet

TITLE = "Workshop Registration"
ROWS = (  # label and what was filled in, box by box; an empty box has none
    (("Full name", "Marta Kowalczyk"), ("Date of birth", "19 August 1988")),
    (("Organisation", "Riverside Community Archive"), ("Telephone", "")),
    (("E-mail", "marta.kowalczyk@riverside-archive.example"), ("Postcode", "LS6 2QH")),
)
CHOICES = (
    ("Preferred session", (("Morning", False), ("Afternoon", True), ("Evening", False))),
    ("Meals", (("Vegetarian", True), ("Vegan", False), ("No preference", False))),
    ("Agreements", (("I agree to the house rules", True), ("Send me the newsletter", False))),
)
_LEFT, _MIDDLE, _RIGHT = 60, 330, 535


def expected() -> dict[str, Any]:
    """The `data` of a right reading."""
    filled = [{"label": label, "value": value or None, "checked": None} for row in ROWS for label, value in row]
    ticked = [{"label": label, "value": None, "checked": checked} for _, boxes in CHOICES for label, checked in boxes]
    return {"title": TITLE, "entries": [*filled, *ticked]}


def draw() -> pymupdf.Document:
    """The filled-in form."""
    document = pymupdf.open()
    sheet = Sheet(document)
    sheet.text(_LEFT, 84, TITLE, 20, bold=True)
    sheet.text(_LEFT, 106, "Please fill in every box and tick what applies.", 10)
    y = 130.0
    for row in ROWS:
        for (label, value), x0, x1 in zip(row, (_LEFT, _MIDDLE), (_MIDDLE, _RIGHT), strict=True):
            sheet.box(x0, y, x1, y + 44)
            sheet.text(x0 + 5, y + 12, label, 8)
            if value:
                sheet.text(x0 + 8, y + 33, value, 11.5)
        y += 44
    y += 40
    for heading, boxes in CHOICES:
        sheet.text(_LEFT, y, heading, 11, bold=True)
        for place, (label, ticked) in enumerate(boxes):
            x = _LEFT + 165 * place
            sheet.tick(x, y + 13, 11, ticked=ticked)
            sheet.text(x + 18, y + 22.5, label, 10.5)
        y += 58
    sheet.done()
    return document
