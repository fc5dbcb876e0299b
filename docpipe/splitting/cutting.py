"""Where a packet is cut: page after page is weighed against the part before it. Knows the order of the steps; holds few pages at a time."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from docpipe.records import Box, CutSign, Part, Record
from docpipe.splitting.codes import SEPARATORS
from docpipe.splitting.evidence import DESCRIPTIONS, SORTS, Evidence, Sort, evidence_at
from docpipe.splitting.part_so_far import PartSoFar
from docpipe.splitting.plan import Plan
from docpipe.splitting.traits import Sheet, Traits, traits_of
from docpipe.splitting.weights import THRESHOLD, worth

LEAST_WEIGHT = 0.05  # of a sign that is told


class Split(Record):
    """The documents of a packet, and the pages between them that belong to none."""

    parts: tuple[Part, ...]
    between: tuple[int, ...] = ()


def cut(sheets: Iterable[Sheet], plan: Plan, *, separators: Collection[str] = SEPARATORS) -> Split:
    """The parts of the packet. By `auto` every page is in one part or `between` two: separator sheets, and blank sheets that are more than
    the back of a page. A packet that shows nothing is one part. `separators` are the texts of codes that say that a document ends.

    The sheets are gone through once, and only a few pages' traits are kept. Raises UsageError where the plan names pages that are not
    there.
    """
    if plan.kind != "auto":
        return cut_as_asked([sheet.page.number for sheet in sheets], plan)
    cutter = _Cutter()
    for sheet in sheets:
        cutter.take(traits_of(sheet, separators=separators))
    return cutter.split()


def cut_as_asked(pages: Sequence[int], plan: Plan) -> Split:
    """The parts that a plan other than `auto` makes of these pages, without a look at them. `between` is what it leaves out. Raises
    UsageError where it names pages that are not there."""
    parts = plan.parts(pages)
    held = {number for part in parts for number in part}
    begun = [_Part(list(part), 1.0, (CutSign(sort="asked", text=str(plan), page=part[0]),)) for part in parts if part]
    return Split(parts=_numbered(begun), between=tuple(number for number in pages if number not in held))


def log_odds(evidence: Iterable[Evidence]) -> float:
    """The natural log-odds that a document begins, by all the evidence."""
    weights = worth()
    return weights["bias"] + sum(weights[one.feature] * one.value for one in evidence)


@dataclass
class _Part:
    pages: list[int]
    score: float = 1.0
    signs: tuple[CutSign, ...] = ()


@dataclass
class _Cutter:
    """What is known between two pages. `blanks` are the blank pages since the last one that shows something; `divider` is the separator
    sheet after which nothing came yet."""

    parts: list[_Part] = field(default_factory=list)
    between: list[int] = field(default_factory=list)
    blanks: list[int] = field(default_factory=list)
    so_far: PartSoFar | None = None
    divider: Traits | None = None

    def take(self, page: Traits) -> None:
        """The next page."""
        if page.kind == "separator":
            self._end_part()
            self.between.append(page.page)
            self.divider = page
        elif page.kind == "blank":
            self.blanks.append(page.page)
        elif self.divider or not self.parts:
            self._begin_after_divider(page)
        else:
            self._weigh(page)

    def split(self) -> Split:
        """All that was taken, cut."""
        if self.parts and not self.divider:
            self._take_blanks()
        self.between += self.blanks
        if not self.parts and self.between:
            return Split(parts=_numbered([_Part(sorted(self.between))]))
        return Split(parts=_numbered(self.parts), between=tuple(sorted(self.between)))

    def _weigh(self, page: Traits) -> None:
        if self.so_far is None or not page.read:
            self._go_on(page)
            return
        evidence = evidence_at(self.so_far, page)
        if self.blanks:
            evidence.append(Evidence("blank_before", 1.0, f"page {self.blanks[-1]} is blank"))
        score = 1 / (1 + math.exp(-min(50.0, max(-50.0, log_odds(evidence)))))  # bounded, as exp overflows
        if score >= THRESHOLD:
            self._end_part()
            self._begin(page, score, signs_of(evidence, page.page))
        else:
            self._go_on(page)

    def _begin_after_divider(self, page: Traits) -> None:
        """What comes first, or behind a separator sheet; the blank sheets before it are the separator's back."""
        self.between += self.blanks
        self.blanks.clear()
        self._begin(page, 1.0, (_divided(self.divider),) if self.divider else ())
        self.divider = None

    def _begin(self, page: Traits, score: float, signs: tuple[CutSign, ...]) -> None:
        self.parts.append(_Part([page.page], score, signs))
        self.so_far = PartSoFar.begun(page, self.so_far) if page.read else None

    def _go_on(self, page: Traits) -> None:
        """The part has the next page, and the blank ones before it."""
        self._take_blanks()
        self.parts[-1].pages.append(page.page)
        if page.read:
            self.so_far = self.so_far.with_page(page) if self.so_far else PartSoFar.begun(page)
        elif self.so_far:
            self.so_far = self.so_far.with_unread()

    def _take_blanks(self) -> None:
        self.parts[-1].pages += self.blanks
        self.blanks.clear()

    def _end_part(self) -> None:
        """One blank page is the back of the last one, more of them are a sheet between two documents."""
        if self.parts and not self.divider:
            self.parts[-1].pages += self.blanks[:1]
            del self.blanks[:1]
        self.between += self.blanks
        self.blanks.clear()


def signs_of(evidence: Iterable[Evidence], page: int) -> tuple[CutSign, ...]:
    """The evidence as signs, strongest first. What was seen in the same print is one sign."""
    weights, weighed = worth(), dict[tuple[Sort, str, Box | None], float]()
    for one in evidence:
        key = SORTS.get(one.feature, "layout"), one.text or DESCRIPTIONS.get(one.feature, ""), one.box
        weighed[key] = weighed.get(key, 0.0) + weights[one.feature] * one.value
    told = sorted(weighed.items(), key=lambda item: -abs(item[1]))
    return tuple(
        CutSign(sort=sort, text=text, page=page, box=box, weight=round(weight, 3))
        for (sort, text, box), weight in told
        if abs(weight) >= LEAST_WEIGHT
    )


def _divided(divider: Traits) -> CutSign:
    if divider.separator:
        return CutSign(sort="code", text=divider.separator.text, page=divider.page, box=divider.separator.box)
    title = divider.title
    return CutSign(sort="separator", text=title.text if title else "", page=divider.page, box=title.box if title else None)


def _numbered(parts: Sequence[_Part]) -> tuple[Part, ...]:
    return tuple(
        Part(number=number, of=len(parts), pages=tuple(part.pages), score=round(part.score, 4), signs=part.signs)
        for number, part in enumerate(parts, start=1)
    )
