"""Values that the print leaves open: dates whose day and month could be swapped, in a document that never shows its order."""

from __future__ import annotations

import re
from dataclasses import replace

from docpipe.records import Issue, Locale
from docpipe.validate.choice import XML, Choice, Choices
from docpipe.validate.normalize import order_for
from docpipe.values.dates import parse_date

_TWO_DIGITS = re.compile(r"(?<![\d./-])(\d\d)[./-](\d\d)[./-](\d\d)(?![\d./-])")
FIRST_YEAR = 15
EVEN = 0.5  # either reading is as likely


def question(choices: Choices, locale: Locale) -> tuple[dict[str, Choice], list[Issue]]:
    """The same choices, open ones with even confidence and unconfirmed, and a warning for each with the other reading."""
    settled, issues = dict(choices), []
    for path, choice in choices.items():
        other = _other_reading(choice, locale)
        if other is not None and choice.winner is not None:
            settled[path] = replace(choice, confidence=min(choice.confidence, EVEN), confirmed_by=())
            message = "day, month or year could be swapped, and nothing in the document tells"
            issues.append(Issue(code="ambiguous_date", path=path, page=choice.winner.page, message=message, suggestion=other))
    return settled, issues


def _other_reading(choice: Choice, locale: Locale) -> str | None:
    """The date with day and month swapped, where the document allows it and no second reading agrees with the first."""
    winner = choice.winner
    if choice.spec.kind != "date" or winner is None or winner.raw is None or winner.engine == XML:
        return None
    if (other := _year_first(winner.raw)) not in (None, winner.value):
        return other
    if order_for(choice.spec, locale) is not None or any(name.startswith("agree") for name in choice.confirmed_by):
        return None
    both = {parse_date(winner.raw, "day_first"), parse_date(winner.raw, "month_first")} - {None, winner.value}
    return both.pop() if len(both) == 1 else None


def _year_first(raw: str) -> str | None:
    """`24-03-17` as 2024: three numbers of two digits, the first of which could be a year of these days."""
    match = _TWO_DIGITS.search(raw)
    if match is None or int(match[1]) < FIRST_YEAR:
        return None
    return parse_date(f"20{match[1]}-{match[2]}-{match[3]}", None)
