"""Values that the print leaves open: dates whose day and month could be swapped, in a document that does not show its order, or shows it
by a single date that is none of its own."""

from __future__ import annotations

import re
from dataclasses import replace

from docpipe.records import Issue, Locale
from docpipe.validate.choice import XML, Choice, Choices, is_labelled
from docpipe.validate.normalize import order_for
from docpipe.values.dates import parse_date, vote_date_order

_TWO_DIGITS = re.compile(r"(?<![\d./-])(\d\d)[./-](\d\d)[./-](\d\d)(?![\d./-])")
_DOTTED = re.compile(r"\d\.\s?\d{1,2}\.\s?\d")
FIRST_YEAR = 15
SINGLE = 1.0  # one date decides; where none does, the order comes from what a schema or the paper says
EVEN = 0.5  # either reading is as likely


def question(choices: Choices, locale: Locale) -> tuple[dict[str, Choice], list[Issue]]:
    """The same choices, open ones with even confidence and unconfirmed, and a warning for each with the other reading."""
    settled, issues = dict(choices), []
    shown = _shown(choices)
    for path, choice in choices.items():
        other = _other_reading(choice, locale, shown=shown)
        if other is not None and choice.winner is not None:
            settled[path] = replace(choice, confidence=min(choice.confidence, EVEN), confirmed_by=())
            message = "day, month or year could be swapped, and nothing in the document tells"
            issues.append(Issue(code="ambiguous_date", path=path, page=choice.winner.page, message=message, suggestion=other))
    return settled, issues


def _shown(choices: Choices) -> bool:
    """A date at a label of the document's own shows the order."""
    dates = [choice.winner for choice in choices.values() if choice.spec.kind == "date" and choice.winner is not None]
    return any(is_labelled(one) and one.raw is not None and vote_date_order([one.raw]) is not None for one in dates)


def _other_reading(choice: Choice, locale: Locale, *, shown: bool) -> str | None:
    """The date with day and month swapped, where the document allows it and no second reading agrees with the first."""
    winner = choice.winner
    if choice.spec.kind != "date" or winner is None or winner.raw is None or winner.engine == XML:
        return None
    if (other := _year_first(winner.raw)) not in (None, winner.value):
        return other
    order = order_for(choice.spec, locale)
    # No locale of CLDR writes dots and puts the month first; the decimal comma shows that it is not one that writes slashes, either.
    usual = order == "day_first" and locale.decimal == "," and _DOTTED.search(winner.raw) is not None
    decided = order is not None and (shown or usual or winner.evidence.features.get("order_shown") != SINGLE)
    if decided or any(name.startswith("agree") for name in choice.confirmed_by):
        return None
    both = {parse_date(winner.raw, "day_first"), parse_date(winner.raw, "month_first")} - {None, winner.value}
    return both.pop() if len(both) == 1 else None


def _year_first(raw: str) -> str | None:
    """`24-03-17` as 2024: three numbers of two digits, the first of which could be a year of these days."""
    match = _TWO_DIGITS.search(raw)
    if match is None or int(match[1]) < FIRST_YEAR:
        return None
    return parse_date(f"20{match[1]}-{match[2]}-{match[3]}", None)
