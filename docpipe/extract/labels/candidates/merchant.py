"""Options for who issued a receipt: the unlabelled lines at its head, as a name and as an address.

An address is the run of lines with the highest sum of line scores: that beat scoring each run by its averages by far.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from docpipe.extract.labels.index import place_of
from docpipe.extract.labels.layout import PageLayout, Segment
from docpipe.extract.labels.lexicon import LEGAL_END, LEGAL_FORM, PHONE_TAIL, RECEIPT_STOP, REGISTER_NUMBER, SHOP_WORD, STREET, has_postal
from docpipe.extract.labels.phrases import Target
from docpipe.extract.labels.scene import Option, Scene
from docpipe.records import Box
from docpipe.values.text import tidy

HEAD_LINES, NAME_LINES, ADDRESS_STARTS, ADDRESS_LINES = 14, 8, 9, 7
_NUMBER_LINE = re.compile(r"gst|reg\.? no|co\.? no", re.IGNORECASE)
_KEYED = re.compile(r"[^\W\d]\s*:\s*\S")
_POSTAL_CODE = re.compile(r"\b\d{5}\b")


@dataclass(frozen=True, eq=False)
class HeadLine:
    """One printed line of a receipt's head."""

    text: str
    segments: tuple[Segment, ...]
    unit: float

    @cached_property
    def without_number(self) -> str:
        return REGISTER_NUMBER.sub(" ", self.text).strip()

    @cached_property
    def stops(self) -> bool:
        return bool(RECEIPT_STOP.search(self.text))

    @cached_property
    def streets(self) -> int:
        return len(STREET.findall(self.without_number))

    @cached_property
    def legal(self) -> bool:
        return bool(LEGAL_FORM.search(self.text) or SHOP_WORD.search(self.text))

    @cached_property
    def ends_legal(self) -> bool:
        return bool(LEGAL_END.search(self.without_number))

    @cached_property
    def full_legal(self) -> bool:
        """A company's whole name: a legal form at the end and two words before it."""
        words = [
            word for word in self.without_number.split() if sum(map(str.isalpha, word)) > 1 and not LEGAL_FORM.fullmatch(word.strip("().,"))
        ]
        return self.ends_legal and len(words) >= 2

    @cached_property
    def height(self) -> float:
        return max(segment.height for segment in self.segments) / self.unit

    @cached_property
    def letters(self) -> int:
        return sum(map(str.isalpha, self.text))

    @cached_property
    def letter_share(self) -> float:
        return self.letters / max(1, len(self.text))

    @cached_property
    def only_number(self) -> bool:
        return sum(map(str.isalpha, self.without_number)) < 4 and (not self.streets or bool(REGISTER_NUMBER.search(self.text)))

    @cached_property
    def address_score(self) -> float:
        """How much the line is a part of an address: above 0 it is more likely than not."""
        score = 0.8 * min(self.streets, 2) - 0.6
        score += (
            (0.5 if _POSTAL_CODE.search(self.text) else 0.7 if has_postal(self.text) else 0.0)
            + 0.35 * bool(re.search(r"[,.]\s*$", self.text))
            + 0.2 * bool(re.search(r"\d", self.text))
        )
        score -= (
            1.8 * (self.stops and (self.streets < 2 or bool(_KEYED.search(self.text))))
            + 1.8 * self.ends_legal
            + 1.5 * bool(REGISTER_NUMBER.fullmatch(self.text.strip()))
        )
        return score


def head_lines(page: PageLayout) -> list[HeadLine]:
    """The first lines of a page that hold text."""
    lines = [HeadLine(" ".join(segment.text for segment in row), row, page.median_height) for row in page.lines]
    return [line for line in lines if re.search(r"\w", line.text)][:HEAD_LINES]


def merchant_names(scene: Scene, target: Target) -> Iterator[Option]:
    """One, two or three lines from the top."""
    lines = head_lines(scene.layouts[0]) if scene.layouts else []
    address = _address_start(lines)
    for first in range(min(NAME_LINES, len(lines))):
        for count in (1, 2, 3):
            last = first + count
            if last > len(lines) or (count == 3 and not lines[first + 2].legal):
                continue
            value = tidy(REGISTER_NUMBER.sub("", " ".join(line.text for line in lines[first:last])).strip(" -,()"))
            if sum(map(str.isalpha, value)) >= 3:
                features = {**_name_features(lines, first, last), "first_line": float(first), "lines": float(count)}
                if address is not None:
                    features.update(ends_at_address=float(last == _name_end(lines, address)), in_address=float(last > address))
                yield _option(lines, first, last, value, features)


def _name_features(lines: Sequence[HeadLine], first: int, last: int) -> dict[str, float]:
    mine, above = lines[first:last], lines[:first]
    return {
        "stops": float(any(line.stops for line in mine)),
        "streets": float(min(3, sum(line.streets for line in mine))),
        "ends_legal": float(
            mine[-1].legal and bool(LEGAL_END.search(mine[-1].without_number) or SHOP_WORD.search(mine[-1].without_number))
        ),
        "height": min(mine[0].height, 2.0),
        "text_before": float(any(line.letter_share > 0.5 and len(line.text) > 4 for line in above)),
        "legal_before": float(any(line.legal for line in above)),
        "before_full": float(any(line.full_legal for line in mine[1:])),
        "cut": float(last < len(lines) and lines[last].full_legal and not any(line.full_legal for line in mine)),
        "scribble": float(mine[0].text.islower() or bool(re.match(r"\W*\d{5}", mine[0].text))),
        "letters": float(mine[0].letter_share > 0.6),
    }


def _address_start(lines: Sequence[HeadLine]) -> int | None:
    """The first line of the best run of address lines."""
    runs = [
        (option.features["line_sum"] - 0.06 * option.features["first_line"], int(option.features["first_line"]))
        for option in _all_runs(lines)
    ]
    return max(runs)[1] if runs else None


def _name_end(lines: Sequence[HeadLine], address: int) -> int:
    """Where a name ends that stands right above the address: lines that only hold register numbers may lie between."""
    end = address
    while end > 0 and (sum(map(str.isalpha, lines[end - 1].without_number)) < 4 or _NUMBER_LINE.search(lines[end - 1].text)):
        end -= 1
    return end


def merchant_addresses(scene: Scene, target: Target) -> Iterator[Option]:
    """Runs of lines; lines inside a run that are register or phone numbers are left out of it."""
    yield from _all_runs(head_lines(scene.layouts[0]) if scene.layouts else [])


def _all_runs(lines: Sequence[HeadLine]) -> Iterator[Option]:
    for first in range(1 if len(lines) > 1 else 0, min(ADDRESS_STARTS, len(lines))):
        if not lines[first].only_number:
            yield from _runs(lines, first)


def _runs(lines: Sequence[HeadLine], first: int) -> Iterator[Option]:
    kept: list[int] = []
    for last in range(first, min(first + ADDRESS_LINES, len(lines))):
        line = lines[last]
        text = line.text if line.streets else line.without_number
        if sum(map(str.isalnum, text)) >= 2 and not (line.stops and not line.streets):
            kept.append(last)
        if not kept or kept[0] != first:
            return
        if last != kept[-1]:
            continue
        value = _joined([lines[place].text for place in kept])
        value = PHONE_TAIL.split(value)[0] if len(value) > 40 else value
        if len(value) >= 10:
            left_out = sum(1 for place in range(first, last) if place not in kept and not REGISTER_NUMBER.search(lines[place].text))
            score = sum(lines[place].address_score for place in kept) - left_out
            features = {"line_sum": score, "first_line": float(first), "lines": float(len(kept)), "last_line": float(last)}
            yield _option(lines, first, last + 1, tidy(value), features)


def _joined(texts: Sequence[str]) -> str:
    """Lines as one address: a comma between two, where the first does not end in a mark of its own."""
    joined = texts[0]
    for text in texts[1:]:
        joined += (" " if joined.rstrip()[-1:] in ",.;:-" else ", ") + text
    return joined


def _option(lines: Sequence[HeadLine], first: int, last: int, value: str, features: dict[str, float]) -> Option:
    segments = [segment for line in lines[first:last] for segment in line.segments]
    box: Box = (
        min(segment.x0 for segment in segments), min(segment.y0 for segment in segments),
        max(segment.x1 for segment in segments), max(segment.y1 for segment in segments),
    )  # fmt: skip
    place = place_of(segments[0], 0, len(segments[0].text))
    raw = "\n".join(line.text for line in lines[first:last])
    return Option(place, value, raw, 0.7, box, paired=False, features=features)
