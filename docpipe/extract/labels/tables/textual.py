"""Tables of a schema's own that hold no amounts: rows under a header that names two fields or more. Knows labels and geometry only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from docpipe.extract.labels.layout import box_of
from docpipe.extract.labels.tables.header import LABEL_WORDS
from docpipe.extract.labels.tables.lines import Line, Phrase
from docpipe.extract.labels.tables.plan import RowPlan
from docpipe.extract.labels.tables.roles import Labels
from docpipe.records import Candidate, Evidence
from docpipe.values.text import tidy

NAMED = 0.8  # of a header cell's text is the field's label
LEAST_COLUMNS = 2
# In text heights: lines of one row, and the widest gap inside a table.
PITCH, GAP = 1.6, 4.0
MOST_ROWS = 5000
LABELLED_SCORE = 0.6  # of a candidate, beside its label's score


@dataclass(frozen=True, eq=False)
class _Column:
    """One header cell: its phrase, the field it names (None: a column nobody asked for) and how surely."""

    phrase: Phrase
    role: str | None
    score: float


@dataclass(eq=False)
class _Row:
    """The phrases of one row by column, while it is being read."""

    last: Line
    cells: dict[int, list[Phrase]] = field(default_factory=dict)


def text_rows(lines: Sequence[Line], plan: RowPlan, labels: Labels, engine: str) -> Iterator[Candidate]:
    """The rows of every table whose header names at least two of the list's fields; values are left to validation."""
    number = 0
    place = 0
    while place < len(lines) and number < MOST_ROWS:
        columns = _header(lines[place], labels)
        place += 1
        if not columns:
            continue
        rows, place = _rows(lines, place, columns, labels)
        for row in rows:
            yield from _candidates(row, number, columns, plan, engine)
            number += 1


def _header(line: Line, labels: Labels) -> list[_Column]:
    """The line's cells; empty where fewer than two of them name different fields."""
    columns = [_column(phrase, labels) for phrase in line.phrases if len(phrase.words) <= LABEL_WORDS]
    named = {column.role for column in columns if column.role}
    return columns if len(named) >= LEAST_COLUMNS else []


def _column(phrase: Phrase, labels: Labels) -> _Column:
    scores = labels.scores(phrase.text)
    role = max(scores, key=lambda name: scores[name], default=None)
    return _Column(phrase, role, scores[role]) if role and scores[role] >= NAMED else _Column(phrase, None, 0.0)


def _rows(lines: Sequence[Line], start: int, columns: Sequence[_Column], labels: Labels) -> tuple[list[_Row], int]:
    """The rows below a header, to a wide gap, a line outside the columns or the page's end, and the place where the table ends."""
    rows: list[_Row] = []
    above = lines[start - 1]
    for place in range(start, len(lines)):
        line = lines[place]
        far = line.page != above.page or line.y - above.y > GAP * max(line.height, above.height)
        if far or _header(line, labels):
            return rows, place
        cells = _cells(line, columns)
        if len(cells) >= LEAST_COLUMNS:
            rows.append(_Row(line, cells))
        elif rows and line.y - above.y <= PITCH * line.height:
            for column, phrases in cells.items():  # a cell of several lines
                rows[-1].cells.setdefault(column, []).extend(phrases)
        else:
            return rows, place
        above = line
    return rows, len(lines)


def _cells(line: Line, columns: Sequence[_Column]) -> dict[int, list[Phrase]]:
    """The line's phrases by the column they overlap most, or start or end nearest to."""
    cells: dict[int, list[Phrase]] = {}
    for phrase in line.phrases:
        best = min(range(len(columns)), key=lambda place: _distance(phrase, columns[place].phrase))
        cells.setdefault(best, []).append(phrase)
    return cells


def _distance(phrase: Phrase, head: Phrase) -> tuple[int, float]:
    shared = min(phrase.x1, head.x1) - max(phrase.x0, head.x0)
    if shared > 0:
        return (0, -shared)
    return (1, min(abs(phrase.x0 - head.x0), abs(phrase.x1 - head.x1), abs(phrase.centre - head.centre)))


def _candidates(row: _Row, number: int, columns: Sequence[_Column], plan: RowPlan, engine: str) -> Iterator[Candidate]:
    for place, phrases in sorted(row.cells.items()):
        column = columns[place]
        if column.role is None or column.role not in plan.fields:
            continue
        evidence = Evidence(
            relation="column",
            label=column.phrase.text,
            label_box=column.phrase.box,
            label_score=column.score,
            fit=0.5,
            features={"columns": float(len(columns))},
        )
        yield Candidate(
            path=plan.path(number, column.role),
            raw=tidy(" ".join(phrase.text for phrase in phrases)),
            page=row.last.page,
            box=box_of([word for phrase in phrases for word in phrase.words]),
            engine=engine,
            score=round(LABELLED_SCORE + column.score, 4),
            evidence=evidence,
        )
