"""Which party's block a segment stands in: under, beside or behind a heading. Knows places, no party's name."""

from __future__ import annotations

from docpipe.extract.labels.label import Label
from docpipe.extract.labels.layout import Segment
from docpipe.extract.labels.scene import Scene

_HEADING_REACH = 14  # median heights that a heading reaches down


def section_score(scene: Scene, group: str, segment: Segment) -> float:
    """0..1: how surely the segment stands under, beside or behind a heading of the group."""
    best = 0.0
    for label in scene.labels.headings.get(group, ()):
        if label.segment.page != segment.page or label.before > 0 or label.covered:
            continue
        best = max(best, _reach(label, segment, scene))
    return best


def named_beside(scene: Scene, group: str, label: Label | None) -> bool:
    """A field's label names the party itself: `Customer VAT number`."""
    return label is not None and any(heading.segment is label.segment for heading in scene.labels.headings.get(group, ()))


def _reach(label: Label, segment: Segment, scene: Scene) -> float:
    unit = scene.page(segment).median_height
    if label.vertical:
        return _beside_vertical(label, segment, scene)
    if label.segment is segment:
        score = 1.0 if label.start == 0 else 0.3
    else:
        down = (segment.y0 - label.box[3]) / unit
        beside = abs(segment.centre_y - (label.box[1] + label.box[3]) / 2) < 0.6 * unit and segment.x0 > label.box[0]
        if beside:
            score = 0.9
        elif -0.5 < down < _HEADING_REACH and segment.x1 > label.box[0] - 2 * unit:
            score = (0.95 - 0.05 * down) * _column_factor(label, segment, scene)
        else:
            return 0.0
    return score * label.similarity * 0.85 ** min(label.after, 3) * (1.0 if len(label.phrase.text) > 4 else 0.8)


def _beside_vertical(label: Label, segment: Segment, scene: Scene) -> float:
    """A heading written downwards is that of the rows beside it, up to the next such heading."""
    if not label.box[1] <= segment.centre_y <= label.box[3] or segment.x0 < label.box[2] - 1:
        return 0.0
    nearer = (
        other
        for group in scene.labels.headings.values()
        for other in group
        if other is not label and other.vertical and other.segment.page == segment.page and label.box[2] <= other.box[0] <= segment.x0
    )
    between = any(other.box[1] <= segment.centre_y <= other.box[3] for other in nearer)
    return 0.0 if between else 0.95


def _column_factor(label: Label, segment: Segment, scene: Scene) -> float:
    """1 in the heading's own column, or behind a label that stands in it; little in another column."""
    page = scene.page(segment)
    unit, left = page.median_height, label.box[0]
    first = page.lines[segment.line][0]
    behind = first is not segment and abs(first.x0 - left) < 3 * unit and _is_label(scene, first)
    if abs(segment.x0 - left) < 3 * unit or behind:
        return 1.0
    return 0.6 if segment.x0 < label.box[2] + 6 * unit else 0.15


def _is_label(scene: Scene, segment: Segment) -> bool:
    return segment.text.rstrip().endswith((":", "：")) or scene.labels.share(segment) > 0.85
