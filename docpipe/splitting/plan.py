"""How a packet is to be cut: as the evidence says, not at all, every so many pages, or as listed. Knows page numbers, no page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from docpipe.errors import UsageError
from docpipe.records import Record

MOST_PAGES = 1_000_000  # a number of a plan that is larger is a slip of the hand
EXAMPLES = "auto, never, every:2 or pages:1-3,4-9,10-"
_RANGE = re.compile(r"(\d+)(?:(-)(\d*))?")
Range = tuple[int, int | None]


class Plan(Record):
    """`every` pages make a part, or `ranges` do: first and last page, None for the last page that there is."""

    kind: Literal["auto", "never", "every", "pages"] = "auto"
    every: int = 0
    ranges: tuple[Range, ...] = ()

    def __str__(self) -> str:
        """The text that `read_plan` reads."""
        if self.kind == "every":
            return f"every:{self.every}"
        if self.kind == "pages":
            return "pages:" + ",".join(str(first) if first == last else f"{first}-{last or ''}" for first, last in self.ranges)
        return self.kind

    def parts(self, pages: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        """The pages of each part, of `pages` in rising order. Pages that `ranges` leave out are in none.

        Raises UsageError for a page that is not there, and for `auto`, which takes more than numbers.
        """
        if self.kind == "auto":
            raise UsageError("auto is no list of pages", hint="the pages themselves say where it is cut")
        if self.kind == "every":
            return tuple(tuple(pages[start : start + self.every]) for start in range(0, len(pages), self.every))
        if self.kind == "pages":
            return tuple(_pages(one, pages) for one in self.ranges)
        return (tuple(pages),) if pages else ()


def read_plan(text: str) -> Plan:
    """`auto`, `never`, `every:N` or `pages:1-3,4-9,10-` as a plan. Raises UsageError for anything else: a page 0, a range that runs
    backwards, a page that two ranges hold."""
    kind, colon, rest = text.strip().partition(":")
    if kind in ("auto", "never") and not colon:
        return Plan(kind="auto" if kind == "auto" else "never")
    if kind == "every":
        return Plan(kind="every", every=_number(rest.strip(), text))
    if kind == "pages":
        return Plan(kind="pages", ranges=_apart([_range(part.strip(), text) for part in rest.split(",")]))
    raise UsageError(f"{text!r} is no way to split", hint=f"one of {EXAMPLES}")


def _range(part: str, text: str) -> Range:
    match = _RANGE.fullmatch(part)
    if match is None:
        raise UsageError(f"--split {text!r}: {part!r} is not a page or a range of pages", hint=f"for example {EXAMPLES}")
    first = _number(match[1], text)
    last = first if match[2] is None else _number(match[3], text) if match[3] else None
    if last is not None and last < first:
        raise UsageError(f"--split {text!r}: {part!r} runs backwards", hint=f"write {last}-{first}")
    return first, last


def _number(digits: str, text: str) -> int:
    """Digits that count pages, from 1 on."""
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10 and 1 <= int(digits) <= MOST_PAGES):
        raise UsageError(f"--split {text!r}: {digits!r} is not a number of pages from 1 on", hint=f"for example {EXAMPLES}")
    return int(digits)


def _apart(ranges: Sequence[Range]) -> tuple[Range, ...]:
    """The ranges, each wholly behind the one before: parts keep the order of the packet. Raises UsageError."""
    for (_, last), (first, _) in pairwise(ranges):
        if last is None or first <= last:
            raise UsageError(f"--split: page {first} is not behind the part before it", hint="list the parts in order, each page once")
    return tuple(ranges)


def _pages(wanted: Range, pages: Sequence[int]) -> tuple[int, ...]:
    first, last = wanted
    there = set(pages)
    if missing := [number for number in (first, last) if number is not None and number not in there]:
        said = f"from {pages[0]} to {pages[-1]}" if pages else "none"
        raise UsageError(f"--split: there is no page {missing[0]}", hint=f"the pages looked at are {said}")
    return tuple(number for number in pages if first <= number and (last is None or number <= last))
