"""A page as Markdown: every word once, tables as tables, text as lines."""

from __future__ import annotations

import re

import made_invoices
import pytest

from docpipe.extract.labels.layout import lay_out
from docpipe.extract.labels.tables.markdown import page_markdown
from docpipe.records import Ruling, Word, Words
from docpipe.words.grids import grids_of


def words(*lines: tuple[float, list[tuple[float, str]]], rulings: tuple[Ruling, ...] = ()) -> Words:
    sheet = made_invoices.Sheet(9)
    for y, cells in lines:
        for x, text in cells:
            sheet.put(abs(x), y, text, right=x < 0)
    return sheet.finished()[0].model_copy(update={"rulings": rulings})


def test_aligned_columns_become_a_table_and_text_stays_text() -> None:
    page = words(
        (60, [(40, "Dear customer, we bill what follows.")]),
        (100, [(40, "Item"), (-300, "Pieces"), (-500, "Price")]),
        (115, [(40, "Lamp"), (-300, "3"), (-500, "12.50")]),
        (130, [(40, "Cable a|b"), (-300, "10"), (-500, "1.25")]),
        (141, [(40, "with plug")]),
        (190, [(40, "Thank you.")]),
    )
    assert page_markdown(lay_out(page)) == (
        "Dear customer, we bill what follows.\n\n"
        "| Item | Pieces | Price |\n| --- | --- | --- |\n| Lamp | 3 | 12.50 |\n| Cable a\\|b with plug | 10 | 1.25 |\n\n"
        "Thank you."
    )


def test_a_header_set_closer_than_its_columns_is_part_of_the_table() -> None:
    page = words(
        (100, [(40, "Item"), (-300, "Pieces"), (390, "Rate Price")]),
        (115, [(40, "Lamp"), (-300, "3"), (390, "7%"), (430, "12.50")]),
        (130, [(40, "Cable"), (-300, "10"), (390, "7%"), (430, "1.25")]),
    )
    first = page_markdown(lay_out(page)).splitlines()[0]
    assert first.startswith("| Item | Pieces |")


def test_ruled_cells_keep_their_lines_together() -> None:
    rulings = tuple(Ruling(40, y, 400, y) for y in (90, 120, 160)) + tuple(Ruling(x, 90, x, 160) for x in (40, 200, 400))
    page = words((105, [(45, "What"), (205, "How")]), (135, [(45, "Two lines"), (205, "fine")]), (150, [(45, "of text")]), rulings=rulings)
    assert page_markdown(lay_out(page)) == "| What | How |\n| --- | --- |\n| Two lines of text | fine |"


def test_two_columns_of_prose_are_no_table() -> None:
    text = "some words that go on and on in a column"
    page = words(*((100 + 12 * row, [(40, text), (320, text)]) for row in range(6)))
    assert "|" not in page_markdown(lay_out(page))


def test_an_empty_page_is_empty() -> None:
    assert page_markdown(lay_out(Words(page=1, width=595, height=842, source="none"))) == ""


def test_words_come_in_their_own_reading_order() -> None:
    left, right = Word("left", 40, 100, 60, 110, 1.0, 0), Word("column", 40, 115, 80, 125, 1.0, 1)
    other = Word("second", 320, 100, 360, 110, 1.0, 2)
    page = Words(page=1, width=595, height=842, source="text_layer", words=(left, right, other))
    assert page_markdown(lay_out(page)).split() == ["left", "column", "second"]


@pytest.mark.parametrize("seed", range(12))
def test_every_word_comes_out_once(seed: int) -> None:
    for page in made_invoices.make(seed).pages:
        text = page_markdown(lay_out(page))
        bare = re.sub(r"^\|(?: --- \|)+$", "", text, flags=re.MULTILINE).replace("|", " ")
        assert sorted(bare.split()) == sorted(word for segment in lay_out(page).segments for word in segment.text.split())


def test_crossing_rulings_are_a_grid_and_loose_ones_are_none() -> None:
    (grid,) = grids_of([*(Ruling(0, y, 90, y) for y in (0, 20, 40)), *(Ruling(x, 0, x, 40) for x in (0, 30, 90)), Ruling(0, 300, 90, 300)])
    assert (grid.columns, grid.rows) == (2, 2)
    assert grid.cell_at(10, 30) == (1, 0) and grid.cell_at(100, 10) is None
    assert grids_of([Ruling(0, 0, 90, 0), Ruling(0, 20, 90, 20)]) == []
