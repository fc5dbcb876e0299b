"""What else stands beside a value and its label. Knows segments and spans, no field.

`Old monthly fee 39.00`, `Due: 30 days from 17 March`, `Invoice No. of deposit: D-1`: words that neither the label nor the value explains
may turn the meaning round, so whoever would believe the label has to know of them.
"""

from __future__ import annotations

import re

from docpipe.extract.labels.label import NOBODY, OTHER, Label
from docpipe.extract.labels.layout import Segment
from docpipe.extract.labels.pairing import Pair
from docpipe.extract.labels.scene import Option, Scene
from docpipe.values.dates import find_dates
from docpipe.values.identifiers import find_currencies
from docpipe.values.text import fold

_WORD = re.compile(r"[^\W\d_]{2,}")
# Words that make another thing of what a label names: an earlier one, somebody else's, a part of it, its contrary.
TURNING = frozenset(
    fold(
        "old original previous former prior earlier earliest latest initial first last next deposit advance partial corrected corrects"
        " correction replaces replaced cancels cancelled cancellation void refund reminder copy draft proforma estimate estimated"
        " provisional account customer client supplier representative agent third never not no without except before after from days weeks"
        " months less minus plus extra late fee of alt alte alter altes alten ursprünglich ursprüngliche bisherig bisherige vorherige"
        " frühere erste letzte nächste anzahlung teil korrektur korrigiert ersetzt storno storniert mahnung kopie entwurf konto kunden"
        " vertreter nie nicht kein keine ohne außer vor nach ab tage tagen wochen monate abzüglich zuzüglich ancien ancienne précédent"
        " précédente acompte avoir corrige remplace annule annulé rappel copie compte client représentant jamais pas sans sauf avant après"
        " jours semaines mois moins antiguo anterior anticipo rectifica sustituye anulada copia cuenta cliente representante nunca sin"
        " antes después días menos"
    ).split()
)
_LINKING = re.compile(r"(?:\b[^\W\d_]{1,6}\W+){1,2}$")  # between a value and the date behind it: vom, dated, issued at


def surroundings(scene: Scene, option: Option, pair: Pair) -> dict[str, float]:
    """`beside`: how many words of the value's cell and of the label's are part of neither, nor of another field's label; currency marks do
    not count. `turned`: how many of them turn a label's meaning."""
    place, label = option.place, pair.label
    value, name = (place.start, place.end), (label.starts_at, label.ends_at)
    if place.segment is label.segment:
        words = _others(scene, place.segment, [value, name])
    else:
        words = [*_others(scene, place.segment, [value]), *_others(scene, label.segment, [name])]
    return {"beside": float(len(words)), "turned": float(sum(word in TURNING for word in words))}


def _others(scene: Scene, segment: Segment, spans: list[tuple[int, int]]) -> list[str]:
    """The folded words of the segment outside the spans."""
    spans = spans + [(label.starts_at, label.ends_at) for label in scene.labels.by_segment.get(segment, ()) if _explains(label)]
    spans += _other_dates(segment.text, spans)
    words = [word for word in _WORD.finditer(segment.text) if not any(start < word.end() and word.start() < end for start, end in spans)]
    return [fold(word[0]) for word in words if not find_currencies(word[0])]


def _other_dates(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Where dates stand that are not in the spans, each with the short words that tie it on: `No. 17 of 3 May`."""
    dates = [date for date in find_dates(text, None) if not any(start < date.end and date.start < end for start, end in spans)]
    ties = [_LINKING.search(text[: date.start]) for date in dates]
    return [(tie.start() if tie else date.start, date.end) for date, tie in zip(dates, ties, strict=True)]


def _explains(label: Label) -> bool:
    """Some field's own label, as the schema has it; a heading or a label of nobody's explains nothing."""
    return label.lines == 1 and not label.heading and not label.soft and label.owner not in (NOBODY, OTHER) and label.similarity >= 0.95
