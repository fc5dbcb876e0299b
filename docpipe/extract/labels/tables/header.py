"""Table headers: lines whose phrases are column labels. Knows labels and geometry, no value below them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from docpipe.extract.labels.layout import box_of
from docpipe.extract.labels.tables.lines import Line
from docpipe.extract.labels.tables.roles import Labels, Scores
from docpipe.records import Box, Word
from docpipe.values.text import fold

# In text heights: how far above and below a header line its stacked words may stand, and how close a further header cell.
STACK, STACK_CELL = 2.3, 1.4
SURE = 0.5  # a cell's best role counts from here
PIECE_COST = 0.25
LABEL_WORDS = 6
LONGEST = 16  # words of a phrase that may be several labels; a longer one is a sentence
WIDEST = 40  # words of a header line
LABEL_SHARE = 0.3  # of its words are words of labels
MONEY_ROLES = frozenset({"amount", "unit_price"})
THING_ROLES = frozenset({"description", "sku", "quantity", "position"})
TAX_ROLES = frozenset({"tax_amount", "base"})
SCORED = frozenset({"description", "quantity", "unit_price", "amount", "tax_rate"})


@dataclass(frozen=True, eq=False)
class HeaderCell:
    """One column's label with every role it may have. `skip_first`: the first line below is the article number, then the description."""

    words: tuple[Word, ...]
    x0: float
    x1: float
    text: str
    roles: Scores
    skip_first: bool = False

    @property
    def box(self) -> Box:
        return box_of(self.words)

    @property
    def role(self) -> str | None:
        return max(self.roles, key=lambda role: self.roles[role]) if self.roles else None

    def score(self, role: str) -> float:
        return self.roles.get(role, 0.0)


@dataclass(frozen=True, eq=False)
class Header:
    """A header: its line, its cells from left to right, how good it is, and where its last stacked line stands."""

    line: Line
    cells: tuple[HeaderCell, ...]
    score: float
    bottom: float
    signature: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "signature", frozenset(cell.role for cell in self.cells if cell.role))

    def same(self, other: Header) -> bool:
        """The other header is this one, printed again."""
        shared = len(self.signature & other.signature)
        return shared >= max(2, 0.6 * len(self.signature))


def find_headers(lines: Sequence[Line], labels: Labels) -> list[Header]:
    """Every line that may be a table's header, top to bottom. It names a thing or a count and an amount or a price, and holds no money."""
    known = [sum(word in labels.words for word in _folded(line)) if len(line.words) <= WIDEST else 0 for line in lines]
    found = []
    for place, line in enumerate(lines):
        few = known[place] < LABEL_SHARE * len(line.words) or sum(known[max(0, place - 2) : place + 3]) < 2
        if not known[place] or few or any("." in n.core or "," in n.core for n in line.cells):
            continue
        header = _header(lines, line, labels)
        if header:
            found.append(header)
    return found


def is_second_header(line: Line, labels: Labels) -> bool:
    """The head of a tax breakdown or a payment table: two or more labels, none of them a description or a quantity, and no number."""
    if line.cells or len(line.phrases) < 2:
        return False
    roles = [{role for role, score in labels.scores(phrase.text).items() if score >= 0.6} for phrase in line.phrases]
    named = [found for found in roles if found]
    every = set().union(*named) if named else set()
    tax = bool(every & {"tax_amount", "base"}) or (len(named) >= 3 and "tax_rate" in every)
    return len(named) >= 2 and tax and not every & {"description", "quantity"}


def _folded(line: Line) -> list[str]:
    return [part for word in line.words for part in fold(word.text).split()]


def _header(lines: Sequence[Line], line: Line, labels: Labels) -> Header | None:
    near = [
        other
        for other in lines[max(0, line.index - 4) : line.index + 5]
        if other is not line
        and other.page == line.page
        and abs(other.y - line.y) < STACK * line.height
        and not any(n.form.currency or "." in n.core or "," in n.core for n in other.cells)
    ]
    cells = [_cell(words, _stacked(words, near), labels) for phrase in line.phrases for words in _pieces(phrase.words, labels)]
    cells += _further(line, near, cells, labels)
    cells = _merged(cells, labels)
    score = _score(cells)
    if score is None:
        return None
    below = [o.y for o in near if o.y > line.y and o.y - line.y < STACK_CELL * line.height and _inside(o, cells) and not o.cells]
    return Header(line, tuple(sorted(cells, key=lambda cell: cell.x0)), score, max(below, default=line.y))


def _pieces(words: Sequence[Word], labels: Labels) -> list[tuple[Word, ...]]:
    """The best cut of a header phrase into labels: "VAT Unit price Total" is three."""
    if len(words) > LONGEST:
        return [tuple(words)]
    best: list[tuple[float, list[tuple[int, int]]]] = [(0.0, [])]
    for end in range(1, len(words) + 1):
        options = []
        for start in range(max(0, end - LABEL_WORDS), end):
            score = labels.best(" ".join(word.text for word in words[start:end]))
            gain = (score * (end - start) if score >= 0.6 else 0.0) - PIECE_COST
            options.append((best[start][0] + gain, [*best[start][1], (start, end)]))
        best.append(max(options, key=lambda option: option[0]))
    return [tuple(words[start:end]) for start, end in best[-1][1]]


def _stacked(words: Sequence[Word], near: Sequence[Line]) -> list[Word]:
    """The words above and below that stand within the piece's width."""
    x0, x1 = words[0].x0 - 4, words[-1].x1 + 4
    widest = 1.5 * (words[-1].x1 - words[0].x0) + 20
    return [word for line in near for word in line.words if x0 <= (word.x0 + word.x1) / 2 <= x1 and word.x1 - word.x0 < widest]


def _cell(words: Sequence[Word], stacked: Sequence[Word], labels: Labels) -> HeaderCell:
    text = " ".join(word.text for word in words)
    roles = dict(labels.scores(text))
    every = sorted([*words, *stacked], key=lambda word: (round(word.y0), word.x0))
    skip = False
    if stacked:
        for role, score in labels.scores(" ".join(word.text for word in every)).items():
            roles[role] = max(roles.get(role, 0.0), score + 0.1)
        skip = _sku_first(every, labels)
    return HeaderCell(tuple(words), words[0].x0, max(word.x1 for word in words), text, roles, skip)


def _sku_first(words: Sequence[Word], labels: Labels) -> bool:
    """A stacked label that says article number above and description below."""
    rows: dict[int, list[str]] = defaultdict(list)
    for word in words:
        rows[round((word.y0 + word.y1) / 8)].append(word.text)
    roles = [labels.scores(" ".join(rows[row])) for row in sorted(rows)]
    return len(roles) > 1 and "description" in roles[-1] and "sku" in roles[0] and "description" not in roles[0]


def _further(line: Line, near: Sequence[Line], cells: Sequence[HeaderCell], labels: Labels) -> list[HeaderCell]:
    """Columns whose label stands only on the line above or below."""
    found: list[HeaderCell] = []
    for other in near:
        if abs(other.y - line.y) > STACK_CELL * line.height:
            continue
        for phrase in other.phrases:
            for words in _pieces(phrase.words, labels):
                free = all(words[-1].x1 < cell.x0 or words[0].x0 > cell.x1 for cell in [*cells, *found])
                cell = _cell(words, (), labels)
                if free and max(cell.roles.values(), default=0.0) >= SURE:
                    found.append(cell)
    return found


def _merged(cells: Sequence[HeaderCell], labels: Labels) -> list[HeaderCell]:
    """Neighbours that only together are a label ("Unit", "price" set wide apart) become one cell."""
    out: list[HeaderCell] = []
    for cell in sorted(cells, key=lambda cell: cell.x0):
        last = out[-1] if out else None
        if last and 0 <= cell.x0 - last.x1 < 1.2 * (cell.words[0].y1 - cell.words[0].y0):
            both = labels.scores(f"{last.text} {cell.text}")
            apart = max(min(max(c.roles.values(), default=0.0) for c in (last, cell)), 0.0)
            if max(both.values(), default=0.0) >= 0.95 and apart < SURE:
                out[-1] = replace(
                    last, words=last.words + cell.words, x1=cell.x1, text=f"{last.text} {cell.text}", roles=dict(both), skip_first=False
                )
                continue
        out.append(cell)
    return out


def _inside(line: Line, cells: Sequence[HeaderCell]) -> bool:
    return any(abs(p.x0 - c.x0) < 40 or (p.x0 <= c.x1 and p.x1 >= c.x0) for p in line.phrases for c in cells)


def _score(cells: Sequence[HeaderCell]) -> float | None:
    """How good a header these cells are; None when they are none."""
    best: Scores = {}
    for cell in cells:
        role = cell.role
        if role and cell.roles[role] >= SURE:
            best[role] = max(best.get(role, 0.0), min(1.1, cell.roles[role]))
    every = {role for cell in cells for role in cell.roles}
    if len(best) < 2 or not set(best) & THING_ROLES or not every & MONEY_ROLES:
        return None
    if "description" not in every and (len(best) < 3 or (every & TAX_ROLES and not every & {"quantity", "unit_price"})):
        return None
    return sum(score for role, score in best.items() if role in SCORED) + 0.2 * len(best)
