"""How well tables and totals are read from made-up invoices: `python benchmarks/tables.py [--documents N] [--dropped 0.3] [--unknown 1]`.

Rows count as found by their amount, cells by their value. `--dropped` replaces that share of labels by words of no language, `--unknown`
that share of documents; `--digits` changes that share of the printed numbers by one digit, as OCR does.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from decimal import Decimal, InvalidOperation
from pathlib import Path
from time import process_time

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from made_invoices import Made, make  # noqa: E402

from docpipe.extract.labels.layout import lay_out  # noqa: E402
from docpipe.extract.labels.tables import TableReading, read_tables  # noqa: E402
from docpipe.fields import fields_of, rules_of  # noqa: E402
from docpipe.records import Words  # noqa: E402
from docpipe.values.confusions import CONFUSED  # noqa: E402
from schemas.invoice import Invoice  # noqa: E402

Rows = list[dict[str, str]]


def main() -> None:
    options = _options()
    count: Counter[str] = Counter()
    levels: Counter[tuple[int, bool]] = Counter()
    spent = 0.0
    for seed in range(options.seed, options.seed + options.documents):
        made = make(seed, unknown=options.unknown, dropped=options.dropped)
        layouts = [lay_out(_misread(page, options.digits, random.Random(seed))) for page in made.pages]
        start = process_time()
        reading = read_tables(layouts, fields_of(Invoice), rules_of(Invoice))
        spent += process_time() - start
        wrong = _compare(made, reading, count)
        levels[reading.level, wrong] += 1
    _report(count, levels, spent, options.documents)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--seed", type=int, default=10_000)
    parser.add_argument("--unknown", type=float, default=0.0)
    parser.add_argument("--dropped", type=float, default=0.0)
    parser.add_argument("--digits", type=float, default=0.0)
    return parser.parse_args()


def _misread(page: Words, share: float, rnd: random.Random) -> Words:
    """The page with one digit confused in that share of the words that hold one."""
    words = list(page.words)
    for place, word in enumerate(words):
        digits = [at for at, char in enumerate(word.text) if char in CONFUSED]
        if digits and rnd.random() < share:
            at = rnd.choice(digits)
            words[place] = word._replace(text=word.text[:at] + rnd.choice(CONFUSED[word.text[at]]) + word.text[at + 1 :])
    return page.model_copy(update={"words": tuple(words)})


def _compare(made: Made, reading: TableReading, count: Counter[str]) -> bool:
    """Adds the document to the counts; True where a wrong number or row was given."""
    rows, totals = _rows(reading), _totals(reading, made.totals)
    wrong = False
    left = list(rows)
    for row in made.rows:
        match = max(left, key=lambda given: _agreement(given, row), default=None)
        if match is None or not _same(match.get("amount"), row["amount"]):
            match = {}
        else:
            left.remove(match)
            count["rows found"] += 1
        for name, value in row.items():
            right = match.get(name) == value if name == "description" else _same(match.get(name), value)
            count["cells"] += 1
            count["cells right"] += right
            wrong |= name != "description" and name in match and not right
    for path, value in made.totals.items():
        count["totals right"] += _same(totals.get(path), value)
        wrong |= path in totals and not _same(totals[path], value)
    count.update({"rows": len(made.rows), "rows given": len(rows), "totals": len(made.totals), "totals given": len(totals)})
    count["separator wrong"] += reading.locale.decimal != made.separator
    return wrong or bool(left)


def _rows(reading: TableReading) -> Rows:
    rows: Rows = []
    for candidate in reading.candidates:
        match = re.fullmatch(r"line_items\[(\d+)\]\.(\w+)", candidate.path)
        if match and isinstance(candidate.value, str):
            rows += [{} for _ in range(int(match[1]) + 1 - len(rows))]
            rows[int(match[1])].setdefault(match[2], candidate.value)
    return rows


def _totals(reading: TableReading, wanted: dict[str, str]) -> dict[str, str]:
    given = [(candidate.path, candidate.value) for candidate in reversed(reading.candidates)]
    return {path: value for path, value in given if path in wanted and isinstance(value, str)}


def _agreement(given: dict[str, str], row: dict[str, str]) -> tuple[bool, int]:
    return _same(given.get("amount"), row["amount"]), sum(
        given.get(name) == value or _same(given.get(name), value) for name, value in row.items()
    )


def _same(one: str | None, other: str) -> bool:
    try:
        return one is not None and Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False


def _report(count: Counter[str], levels: Counter[tuple[int, bool]], spent: float, documents: int) -> None:
    found, given = count["rows found"], max(1, count["rows given"])
    print(f"rows: recall {found / count['rows']:.3f}, precision {found / given:.3f}; cells {count['cells right'] / count['cells']:.3f}")
    right = count["totals right"]
    print(f"totals: recall {right / count['totals']:.3f}, precision {right / max(1, count['totals given']):.3f}")
    print(f"decimal separator wrong: {count['separator wrong']} of {documents}; CPU {1000 * spent / documents:.1f} ms a document")
    for level in sorted({level for level, _ in levels}):
        print(f"level {level}: {levels[level, False] + levels[level, True]} documents, {levels[level, True]} with a wrong number or row")


if __name__ == "__main__":
    main()
