"""Numbers that may be totals, each with its role's label and how well it fits. Knows labels and positions, no arithmetic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from docpipe.extract.labels.tables.lines import Line, Phrase
from docpipe.extract.labels.tables.numbers import Number, Separator, has_letters
from docpipe.extract.labels.tables.roles import Labels, is_carried
from docpipe.records import Box

# Hand-set on vendor invoices; the ranks they give matter, not the sizes.
MONEY, NOT_MONEY = 0.25, -0.35
AFTER_TABLE, BEFORE_TABLE = 0.15, -0.4
LOWER_IS_BETTER = 0.1  # from the document's top to its bottom
JOINED_LABEL, NUMBER_BETWEEN, NUMBER_BEFORE, ABOVE = 0.1, 0.35, 0.3, 0.25
LEAST = 0.2
FREE_SCORE = 0.02
SURE_TAX = 0.9
MOST_FREE = 14
MOST_TAX_PARTS = 5
ABOVE_LINES, ABOVE_HEIGHTS = 8, 9.0


@dataclass(frozen=True, eq=False)
class Total:
    """One number, or the sum of several tax lines, in the running for one role. `label_score` is 0 where no label was found."""

    score: float
    value: Decimal
    numbers: tuple[Number, ...]
    line: Line
    label: str = ""
    label_box: Box | None = None
    label_score: float = 0.0


@dataclass(frozen=True, eq=False)
class _Label:
    text: str
    box: Box
    penalty: float = 0.0
    least: float = 0.0


def candidates(
    lines: Sequence[Line], separator: Separator, labels: Labels, *, used: Collection[Number], after: float
) -> tuple[dict[str, list[Total]], list[Total]]:
    """Role -> numbers labelled so, best first, each value once; and the first numbers shaped like money below the table, labelled or not.

    `used` are the table's own numbers, `after` the place where it ends.
    """
    taken = set(map(id, used))
    found: dict[str, list[Total]] = defaultdict(list)
    free: list[Total] = []
    for place, line in enumerate(lines):
        for number in line.numbers:
            value = None if number.percent or id(number) in taken else number.value(separator)
            if value is None:
                continue
            below = line.place >= after
            extra = LOWER_IS_BETTER * place / len(lines) + (MONEY if number.money else NOT_MONEY) + (AFTER_TABLE if below else BEFORE_TABLE)
            roles = _roles(lines, place, number, labels)
            tendered = max(roles, key=lambda role: roles[role][0], default="") == "tender"
            for role, (score, label) in roles.items():
                if score + extra > LEAST:
                    whole = min(1.0, score)
                    found[role].append(Total(whole + extra, value, (number,), line, label.text, label.box, max(0.0, whole)))
            if below and number.money and len(free) < MOST_FREE and not tendered:
                free.append(Total(FREE_SCORE, value, (number,), line))
    return {role: top(totals) for role, totals in found.items()}, top(free)


def top(totals: Iterable[Total], most: int = 100) -> list[Total]:
    """The best for each value, best first."""
    best: dict[Decimal, Total] = {}
    for total in totals:
        if total.value not in best or total.score > best[total.value].score:
            best[total.value] = total
    return sorted(best.values(), key=lambda total: -total.score)[:most]


def tax_sums(taxes: Sequence[Total]) -> list[Total]:
    """Sums of several tax lines, as where each rate has its own."""
    by_line: dict[int, Total] = {}
    for total in sorted(taxes, key=lambda total: total.score):
        if total.score > SURE_TAX:
            by_line[total.line.index] = total
    parts = sorted(by_line.values(), key=lambda total: -total.score)[:MOST_TAX_PARTS]
    return [added(some) for count in range(2, len(parts) + 1) for some in combinations(parts, count)]


def added(parts: Sequence[Total]) -> Total:
    """Several numbers that are one total together."""
    first = parts[0]
    return Total(
        sum(part.score for part in parts) / len(parts) + 0.05,
        sum((part.value for part in parts), Decimal(0)),
        tuple(number for part in parts for number in part.numbers),
        first.line,
        first.label,
        first.label_box,
        min(part.label_score for part in parts),
    )


def _roles(lines: Sequence[Line], place: int, number: Number, labels: Labels) -> dict[str, tuple[float, _Label]]:
    """Role -> the best score of a label beside the number, and that label."""
    best: dict[str, tuple[float, _Label]] = {}
    beside = _beside(lines[place], number)
    for label in [*beside, *_above(lines, place, number)]:
        if is_carried(label.text):
            continue
        for role, score in labels.scores(label.text).items():
            if score > label.least and score - label.penalty > best.get(role, (0.0, label))[0]:
                best[role] = (score - label.penalty, label)
    return best


def _beside(line: Line, number: Number) -> list[_Label]:
    """The text in the number's own phrase, else the nearest phrase on its left, alone and with what stands before it."""
    own = next(phrase for phrase in line.phrases if number.words[0] in phrase.words)
    if has_letters(number.before):
        words = [word for word in own.words if word.x1 <= number.x0 + 1]
        return [_Label(number.before, Phrase(tuple(words), False).box if words else own.box)]
    left = [phrase for phrase in line.texts if phrase.x1 <= number.x0 + 1]
    if not left:
        return []
    near = left[-1]
    penalty = _crowded(line, near, number)
    labels = [_Label(near.text, near.box, penalty)]
    if len(left) > 1:
        labels.append(_Label(" ".join(phrase.text for phrase in left), near.box, penalty + JOINED_LABEL))
    return labels


def _crowded(line: Line, label: Phrase, number: Number) -> float:
    """The penalty for a label that several amounts follow: most for those before the last, which it is likeliest meant for."""
    others = [other for other in line.numbers if other is not number and not other.percent and other.x0 >= label.x1]
    text = min((phrase.x0 for phrase in line.texts if phrase.x0 > number.x1), default=float("inf"))
    if any(number.x0 < other.x0 < text and other.money for other in others):
        return NUMBER_BETWEEN
    return NUMBER_BEFORE if any(other.x0 < number.x0 for other in others) else 0.0


def _above(lines: Sequence[Line], place: int, number: Number) -> list[_Label]:
    """The next text above the number, where it stands over it: totals printed as a row under their labels."""
    line = lines[place]
    for other in reversed(lines[max(0, place - ABOVE_LINES) : place]):
        if other.page != line.page or line.y - other.y > ABOVE_HEIGHTS * line.height:
            break
        over = next((phrase for phrase in other.texts if phrase.x0 < number.x1 + line.height and phrase.x1 > number.x0 - line.height), None)
        if over is not None:
            return [_Label(over.text, over.box, ABOVE - 0.05 * (line.y - other.y) / line.height / ABOVE_HEIGHTS, 0.6)]
    return []
