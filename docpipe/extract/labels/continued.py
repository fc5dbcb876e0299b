"""Whether an identifier goes on in the next line of its cell. Knows places and lines, no field.

`RE-2026-` with `00017` below it is one number; its first half is another document's.
"""

from __future__ import annotations

import re

from docpipe.extract.labels.label import Label
from docpipe.extract.labels.layout import Segment
from docpipe.extract.labels.scene import Option, Scene
from docpipe.values.dates import find_dates

PITCH = 1.75  # text heights from one line of a cell to the next
ALIGNED = 0.5  # text heights that two lines of a cell may differ at their common edge
_OPEN = re.compile(r"\s*[-–/_]\s*")
_REST = re.compile(r"[-–/]?[A-Z\d][\w\-/.]*", re.IGNORECASE)


def goes_on(scene: Scene, option: Option, label: Label) -> bool:
    """The value's line ends open, or a lone code that has no label stands right below it, in its cell and on its edge."""
    place = option.place
    tail = place.segment.text[place.end :]
    if _OPEN.fullmatch(tail):
        return True
    lines = scene.page(place).lines[place.segment.line + 1 : place.segment.line + 3]
    return not tail.strip() and any(_continues(scene, option, label, segment, line) for line in lines for segment in line)


def _continues(scene: Scene, option: Option, label: Label, segment: Segment, line: tuple[Segment, ...]) -> bool:
    box, height = option.place.box, option.place.box[3] - option.place.box[1]
    near = 0 < segment.y0 - box[1] <= PITCH * height and min(abs(segment.x0 - box[0]), abs(segment.x1 - box[2])) <= ALIGNED * height
    if not near or not _REST.fullmatch(segment.text) or not any(map(str.isdigit, segment.text)) or find_dates(segment.text, None):
        return False
    if scene.labels.by_segment.get(segment) or scene.pairing.pages[segment.page].grid.parted_down(box, segment.box):
        return False
    return not any(label.box[0] - height <= other.x1 <= segment.x0 + 1 for other in line if other is not segment)
