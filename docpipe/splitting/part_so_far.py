"""The part of a packet up to the page that is weighed. Knows what of it is remembered and what two pages have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from docpipe.splitting.lines import Shown
from docpipe.splitting.traits import Token, Traits

NEAR_X, NEAR_Y = 0.03, 0.02  # shares of a page: the same place on two of them
NUMBERS_KEPT = 400  # of a part: the latest
PARTS_KEPT = 24  # the latest earlier parts, whose first and last pages are remembered


@dataclass(frozen=True)
class PartSoFar:
    """The part so far: its first and its last page that show anything, how many pages it has, and the numbers it prints. `starts` are the
    first pages of parts before it, `later` their last ones where they have more than one."""

    first: Traits
    last: Traits
    pages: int
    numbers: Mapping[str, Shown]
    starts: tuple[Traits, ...] = ()
    later: tuple[Traits, ...] = ()

    @classmethod
    def begun(cls, page: Traits, before: PartSoFar | None = None) -> PartSoFar:
        """The part that begins at the page."""
        starts = (*before.starts, before.first)[-PARTS_KEPT:] if before else ()
        later = before.later if before else ()
        if before and before.last is not before.first:
            later = (*later, before.last)[-PARTS_KEPT:]
        return cls(page, page, 1, dict(page.numbers or {}), starts, later)

    def with_page(self, page: Traits) -> PartSoFar:
        """The part with one more page. What follows a cover is its first, and what precedes conditions stays its last."""
        known = dict(list({**self.numbers, **(page.numbers or {})}.items())[-NUMBERS_KEPT:])
        first = page if self.first.kind == "cover" else self.first
        last = self.last if page.kind == "terms" else page
        return PartSoFar(first, last, self.pages + 1, known, self.starts, self.later)

    def with_unread(self) -> PartSoFar:
        """The part with one more page of which nothing is known."""
        return replace(self, pages=self.pages + 1)


def beside(part: PartSoFar, page: Traits) -> tuple[list[Shown], list[Shown]]:
    """The values of the page's head that the part's first or last page has at the same place, and those where it has another one; by the
    page that has more of both."""
    sides = [part.last] if part.first is part.last else [part.last, part.first]
    return max((same_place(side.values, page.values) for side in sides), key=lambda found: len(found[0]) + len(found[1]))


def same_place(mine: Sequence[Token], others: Sequence[Token]) -> tuple[list[Shown], list[Shown]]:
    """Of the second: the values where the first has the same one, and those where it has another one."""
    kept: list[Shown] = []
    changed: list[Shown] = []
    for token in others:
        near = [one.key for one in mine if _near(one, token)]
        if near:
            (kept if token.key in near else changed).append(token.shown)
    return kept, changed


def _near(one: Token, other: Token) -> bool:
    return abs(one.x - other.x) <= NEAR_X and abs(one.y - other.y) <= NEAR_Y


def likeness(one: Traits, other: Traits) -> float:
    """The share of the two heads' words that both have at the same place, 0..1."""
    most = max(sum(map(len, side.head.values())) for side in (one, other))
    kept = sum(any(_near(mine, token) for mine in one.head.get(key, ())) for key, tokens in other.head.items() for token in tokens)
    return kept / most if most else 0.0
