"""A page as Markdown text: its lines in reading order, ruled and aligned tables as tables. Knows geometry only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from docpipe.extract.labels.layout import PageLayout, Segment, box_of
from docpipe.records import Box, Word
from docpipe.values.text import tidy
from docpipe.words.grids import Grid, grids_of

# In text heights: lines of one block, and a gap that parts paragraphs.
BLOCK_PITCH, CELL_PITCH, PARAGRAPH = 2.6, 1.4, 1.9
LEAST_ROWS, LEAST_COLUMNS = 3, 3
FULL = 0.6  # of the columns: a line with so many segments must keep them apart
FILLED = 0.55  # of the cells hold something
MOST_LINES = 150
CELL_WORDS = 6  # the median cell of a table holds no more; text set in columns does
NUMERIC_SHARE = 0.6  # of the second column, where a table has only two
Cells = list[list[str]]
Line = tuple[Segment, ...]


@dataclass(frozen=True)
class _Table:
    """A table found on the page: its cells and the words they took."""

    cells: Cells
    words: frozenset[int]
    box: Box


def page_markdown(layout: PageLayout) -> str:
    """The page's text in reading order, one printed line a line, blank lines between paragraphs, tables as Markdown tables.

    Every word of the page comes out once. Characters that Markdown reads as marks are left as printed, but `|` inside a cell is escaped.
    """
    tables = _tables(layout)
    taken = {word: table for table in tables for word in table.words}
    blocks: list[str] = []
    last: Box | None = None
    done: set[int] = set()
    for line in _reading_lines(layout):
        for table_id, part in groupby(line, key=lambda word: id(taken.get(id(word)))):
            words = list(part)
            table = taken.get(id(words[0]))
            if table is None:
                box = box_of(words)
                blocks.append(("\n" if last is None or _apart(last, box, layout) else "") + _text(words))
                last = box
            elif table_id not in done:
                done.add(table_id)
                blocks.append("\n" + _rendered(table.cells) + "\n")
                last = None
    return "\n".join(blocks).replace("\n\n\n", "\n\n").strip()


def _tables(layout: PageLayout) -> list[_Table]:
    """Ruled grids first, then aligned lines among the rest."""
    ruled = [found for grid in grids_of(layout.rulings) if (found := _ruled(grid, layout)) is not None]
    taken = {word for table in ruled for word in table.words}
    return [*ruled, *_aligned(layout, taken)]


def _ruled(grid: Grid, layout: PageLayout) -> _Table | None:
    """The words inside a grid by its cells; None where fewer than two rows and columns hold any."""
    cells: list[list[list[Word]]] = [[[] for _ in range(grid.columns)] for _ in range(grid.rows)]
    words = []
    for line in layout.lines:
        for word in (word for segment in line for word in segment.words):
            place = grid.cell_at((word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2)
            if place is not None:
                cells[place[0]][place[1]].append(word)
                words.append(word)
    texts = [[_text(cell) for cell in row] for row in cells]
    texts = [row for row in texts if any(row)]
    filled = sum(any(row[column] for row in texts) for column in range(grid.columns))
    if len(texts) < 2 or filled < 2:
        return None
    return _Table(_without_empty_columns(texts), frozenset(map(id, words)), box_of(words))


def _aligned(layout: PageLayout, taken: set[int]) -> Iterator[_Table]:
    """Runs of lines whose segments stand under one another."""
    run: _Run | None = None
    for line in layout.lines:
        if any(id(word) in taken for segment in line for word in segment.words):
            continue
        if run is not None and run.joined(line):
            continue
        if run is not None and (table := run.table()):
            yield table
        run = _Run(line) if len(line) > 1 else None
    if run is not None and (table := run.table()):
        yield table


class _Run:
    """Lines that may be one table, and the x-ranges of its columns as the lines with the most segments show them."""

    def __init__(self, line: Line) -> None:
        self.lines = [line]
        self.columns = [(segment.x0, segment.x1) for segment in line]

    def joined(self, line: Line) -> bool:
        """Takes the line in where it follows closely and fits the columns."""
        last = self.lines[-1]
        height = max(segment.height for segment in (*last, *line))
        if len(self.lines) >= MOST_LINES or line[0].centre_y - last[0].centre_y > BLOCK_PITCH * height or not self._fits(line):
            return False
        self.lines.append(line)
        return True

    def _fits(self, line: Line) -> bool:
        if len(line) == 1:
            return sum(x0 < line[0].x1 and x1 > line[0].x0 for x0, x1 in self.columns) == 1
        most = len(self.columns)
        if len(line) > most:  # a header may be set closer than the rows below it
            if len(self.lines) > 1 and len(line) > most + 1:
                return False
            self.columns = [(segment.x0, segment.x1) for segment in line]
            for other in self.lines:
                self._widen(other)
            return True
        return self._widen(line) or len(line) < FULL * most

    def _widen(self, line: Line) -> bool:
        """Columns made as wide as the line's segments need, where that joins no two of them."""
        columns = _joined([*self.columns, *((segment.x0, segment.x1) for segment in line)])
        if len(columns) < len(self.columns):
            return False
        self.columns = columns
        return True

    def _goes_on(self) -> bool:
        """The last line is set as close to the one before as lines of one cell are."""
        last, before = self.lines[-1][0], self.lines[-2][0]
        return last.centre_y - before.centre_y < CELL_PITCH * last.height

    def table(self) -> _Table | None:
        """The run as a table; None where it is too small, too empty or too wordy for one."""
        while len(self.lines[-1]) == 1 and not self._goes_on():
            self.lines.pop()
        rows = [line for line in self.lines if len(line) > 1]
        if len(rows) < LEAST_ROWS or len(self.columns) < 2:
            return None
        if median(len(segment.words) for line in rows for segment in line) > CELL_WORDS:
            return None
        cells = _placed(self.lines, self.columns)
        second = [row[-1] for row in cells if row[-1]]
        if len(self.columns) < LEAST_COLUMNS and sum(map(_numeric, second)) < NUMERIC_SHARE * max(LEAST_ROWS, len(second)):
            return None
        if sum(bool(cell) for row in cells for cell in row) < FILLED * len(cells) * len(self.columns):
            return None
        words = [word for line in self.lines for segment in line for word in segment.words]
        return _Table(cells, frozenset(map(id, words)), box_of(words))


def _joined(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Ranges that overlap become one."""
    columns: list[tuple[float, float]] = []
    for x0, x1 in sorted(spans):
        if columns and x0 < columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], x1))
        else:
            columns.append((x0, x1))
    return columns


def _numeric(text: str) -> bool:
    """More digits than letters."""
    return sum(map(str.isdigit, text)) > sum(map(str.isalpha, text))


def _placed(run: Sequence[Line], columns: Sequence[tuple[float, float]]) -> Cells:
    """One row a line; a line of one piece goes on in the row above."""
    cells: Cells = []
    for line in run:
        row: list[list[Word]] = [[] for _ in columns]
        for segment in line:
            inside = [place for place, (x0, x1) in enumerate(columns) if x0 < segment.x1 and x1 > segment.x0]
            for word in segment.words:
                row[inside[0] if len(inside) == 1 else _nearest(word, columns)].append(word)
        texts = [_text(words) for words in row]
        if len(line) == 1 and cells:
            cells[-1] = [f"{old} {new}".strip() for old, new in zip(cells[-1], texts, strict=True)]
        else:
            cells.append(texts)
    return cells


def _nearest(word: Word, columns: Sequence[tuple[float, float]]) -> int:
    """The column the word overlaps most, else the nearest."""
    return max(range(len(columns)), key=lambda place: min(word.x1, columns[place][1]) - max(word.x0, columns[place][0]))


def _without_empty_columns(cells: Cells) -> Cells:
    kept = [column for column in range(len(cells[0])) if any(row[column] for row in cells)]
    return [[row[column] for column in kept] for row in cells]


def _rendered(cells: Cells) -> str:
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in cells]
    head = ["| " + " | ".join(escaped[0]) + " |", "|" + " --- |" * len(escaped[0])]
    return "\n".join([*head, *("| " + " | ".join(row) + " |" for row in escaped[1:])])


def _reading_lines(layout: PageLayout) -> list[list[Word]]:
    """The page's lines in the order the words came in; visual rows where that order is unknown."""
    words = [word for line in layout.lines for segment in line for word in segment.words]
    numbers = {word.line for word in words}
    if len(numbers) < 2:
        return [[word for segment in line for word in segment.words] for line in layout.lines]
    ordered = sorted(words, key=lambda word: word.line)
    return [sorted(group, key=lambda word: word.x0) for _, group in groupby(ordered, key=lambda word: word.line)]


def _apart(above: Box, below: Box, layout: PageLayout) -> bool:
    """A new paragraph: a wide gap, or a jump up to another column."""
    step = (below[1] + below[3]) / 2 - (above[1] + above[3]) / 2
    return step > PARAGRAPH * layout.median_height or step < -layout.median_height


def _text(words: Sequence[Word]) -> str:
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.y0 + word.y1) / 2):
        if rows and _same_row(rows[-1][-1], word):
            rows[-1].append(word)
        else:
            rows.append([word])
    return tidy(" ".join(word.text for row in rows for word in sorted(row, key=lambda word: word.x0)))


def _same_row(one: Word, other: Word) -> bool:
    return abs((one.y0 + one.y1) - (other.y0 + other.y1)) / 2 < 0.5 * min(one.y1 - one.y0, other.y1 - other.y0)
