"""The words stage: reading order, plain text, marks of the image, and which source a page's words come from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.errors import PageError
from docpipe.records import Checkbox, Page, Ruling, Word, Words
from docpipe.words import OcrEngine, OcrLine, load_words, read_words
from docpipe.words.marks import find_marks
from docpipe.words.order import in_order, rows_of, runs_of
from docpipe.words.text import lines_of, page_text
from docpipe.workspace import Workspace

TEXT = "the quick brown fox jumps over lazy dogs while seven wizards quietly make toxic brew for the evil queen and her jack"
PROSE = TEXT.split()


def row(text: str, *, x: float, y: float, height: float = 10.0, gap: float = 4.0) -> list[Word]:
    """Words of one printed line, half their height per letter wide."""
    words = []
    for part in text.split():
        words.append(Word(part, x, y, x + 0.5 * height * len(part), y + height))
        x = words[-1].x1 + gap
    return words


def column(*, x: float, y: float, lines: int, width: float = 200.0, leading: float = 14.0, start: int = 0) -> list[list[Word]]:
    """Running text filled to `width`."""
    rows: list[list[Word]] = []
    place = start
    for number in range(lines):
        line = row(PROSE[place % len(PROSE)], x=x, y=y + number * leading)
        place += 1
        while line[-1].x1 + 4 + 5 * len(PROSE[place % len(PROSE)]) <= x + width:
            line += row(PROSE[place % len(PROSE)], x=line[-1].x1 + 4, y=y + number * leading)
            place += 1
        rows.append(line)
    return rows


def singles(rows: Sequence[Sequence[Word]]) -> list[list[Word]]:
    return [[word] for line in rows for word in line]


def lines(words: Sequence[Word]) -> list[str]:
    page = Words(page=1, width=600, height=800, source="ocr", words=tuple(words))
    return [" ".join(word.text for word in line) for line in lines_of(page)]


def test_columns_of_running_text_are_read_one_after_the_other_between_full_lines() -> None:
    head = row("A heading that goes across the whole page from left to the right hand margin of it", x=40, y=40)
    foot = row("and a closing line that again goes across the whole page from left to right hand margin", x=40, y=300)
    left, right = column(x=40, y=70, lines=8), column(x=270, y=70, lines=8, start=31)
    ordered = in_order(singles([foot, *right, *left, head]))
    assert lines(ordered) == [" ".join(word.text for word in line) for line in (head, *left, *right, foot)]


def test_columns_whose_lines_are_not_level_are_still_columns() -> None:
    left, right = column(x=40, y=70, lines=8), column(x=270, y=77, lines=8, start=31)
    assert lines(in_order(singles([*right, *left]))) == [" ".join(word.text for word in line) for line in (*left, *right)]


def test_a_table_row_stays_one_line() -> None:
    cells = [("Widget large", "2", "10.00", "20.00"), ("Washer", "100", "0.05", "5.00"), ("Service call", "1", "80.00", "80.00")] * 3
    table = [
        [word for cell, x in zip(cells[number], (40, 300, 380, 480), strict=True) for word in row(cell, x=x, y=100 + 14 * number)]
        for number in range(len(cells))
    ]
    assert lines(in_order(singles(table))) == [" ".join(line) for line in cells]


def test_labels_and_values_side_by_side_stay_rows() -> None:
    pairs = [("Invoice number", "RE-2044"), ("Invoice date", "2024-05-01"), ("Customer number", "88412"), ("Order number", "A-7")]
    block = [row(label, x=40, y=100 + 14 * number) + row(value, x=300, y=100 + 14 * number) for number, (label, value) in enumerate(pairs)]
    assert lines(in_order(singles(block))) == [" ".join(pair) for pair in pairs]


def test_an_ocr_line_on_a_slant_is_one_row() -> None:
    slanted = [Word(f"w{number}", number * 40.0, 100 + number * 1.5, number * 40.0 + 30, 112 + number * 1.5) for number in range(10)]
    below = [word._replace(text=word.text.upper(), y0=word.y0 + 16, y1=word.y1 + 16) for word in slanted]
    assert [[word.text for word in found] for found in rows_of(singles([below, slanted]))] == [
        [word.text for word in slanted],
        [word.text for word in below],
    ]


def test_a_lone_digit_joins_the_row_it_stands_in() -> None:
    texts = lines(in_order([row("Cable drum", x=80, y=50), row("12.40", x=300, y=50), [Word("1", 40, 51, 45, 59)]]))
    assert texts == ["1 Cable drum 12.40"]


# ---- tables ----------------------------------------------------------------------------------------------------------


def grid(xs: Sequence[float], ys: Sequence[float]) -> list[Ruling]:
    """The rulings of a table with these edges."""
    return [*(Ruling(x, ys[0], x, ys[-1]) for x in xs), *(Ruling(xs[0], y, xs[-1], y) for y in ys)]


def test_a_table_row_with_lines_that_are_not_level_is_read_cell_by_cell() -> None:
    head = [row("Item", x=45, y=45), row("Old rule", x=205, y=45)]
    centred = [row("Pitch clock", x=45, y=67)]
    wrapped = [row("A timer in the ground", x=205, y=60), row("keeps the game short", x=205, y=74)]
    pieces = [*wrapped, *centred, *head]
    assert lines(in_order(pieces)) == ["Item Old rule", "A timer in the ground", "Pitch clock", "keeps the game short"]
    ordered = lines(in_order(pieces, grid((40, 200, 400), (40, 58, 90))))
    assert ordered == ["Item Old rule", "Pitch clock", "A timer in the ground", "keeps the game short"]


def test_level_cells_beside_a_wrapped_one_stay_one_row() -> None:
    pieces = [row("Chlorine compounds", x=45, y=60), row("as HCl", x=45, y=74), row("10 000", x=205, y=67), row("15", x=305, y=67)]
    ordered = lines(in_order([*pieces, row("Name", x=45, y=45)], grid((40, 200, 300, 400), (40, 58, 90))))
    assert ordered == ["Name", "Chlorine compounds", "as HCl", "10 000 15"]


def test_rows_without_rulings_between_them_stay_rows() -> None:
    pieces = [row(text, x=x, y=60 + 14 * place) for place in range(4) for x, text in ((45, f"Part {place}"), (205, f"{place}.40"))]
    pieces += [row("Name", x=45, y=45), row("a note", x=45, y=116)]
    ordered = lines(in_order(pieces, grid((40, 200, 400), (40, 58, 130))))
    assert ordered == ["Name", *(f"Part {place} {place}.40" for place in range(4)), "a note"]


def versions() -> tuple[list[list[Word]], list[Word], list[list[Word]]]:
    """A comparison of two texts: three lines that go on at the left only, then a short line with a new text beside it."""
    left, right = column(x=40, y=70, lines=7), column(x=270, y=70, lines=12, start=31)
    return left, row("none", x=40, y=70 + 14 * 7), [line for place, line in enumerate(right) if place not in (4, 5, 6)]


def test_a_table_of_two_texts_is_read_row_by_row_and_columns_are_not() -> None:
    left, none, right = versions()
    pieces = singles([*right, *left, none])
    texts = [[" ".join(word.text for word in line) for line in side] for side in (left, right)]
    columns = [*texts[0], "none", *texts[1]]
    assert lines(in_order(pieces)) == columns
    newspaper = [Ruling(258, 60, 258, 250)]
    assert lines(in_order(pieces, newspaper)) == columns
    table = [Ruling(x, 60, x, 250) for x in (30, 258, 480)]
    assert lines(in_order(pieces, table)) == [*texts[0], *texts[1][:4], "none", *texts[1][4:]]


def test_a_heading_below_two_columns_is_read_after_them() -> None:
    left, right, heading = column(x=40, y=70, lines=8), column(x=270, y=70, lines=8, start=31), row("Results", x=40, y=210)
    ordered = lines(in_order(singles([heading, *left, *right])))
    assert ordered == [" ".join(word.text for word in line) for line in (*left, *right, heading)]


def test_a_line_within_reach_of_a_taller_one_is_a_row_of_its_own() -> None:
    tall = [Word("LOT", 70, 100, 140, 140), Word("204", 150, 100, 210, 140), Word("Street", 260, 100, 420, 140)]
    line = [Word("Co.", 165, 92, 205, 116), Word("Reg.", 212, 92, 258, 116), Word("No.", 265, 92, 300, 116)]
    assert sorted(len(found) for found in rows_of([tall, line])) == [3, 3]


def numbered(rows: Sequence[Sequence[Word]]) -> list[Word]:
    """Words as a text layer has them: each knows its line there."""
    return [word._replace(line=number) for number, line in enumerate(rows) for word in line]


def test_runs_of_a_text_layer_give_the_order_that_its_words_give() -> None:
    table = [row("Cable drum", x=40, y=20 + 14 * place) + row(f"{place}0.40", x=300, y=20 + 14 * place) for place in range(5)]
    layer = numbered([*column(x=270, y=120, lines=8, start=31), *column(x=40, y=120, lines=8), *table])
    runs = list(runs_of(layer))
    assert len(runs) == 8 + 8 + 2 * 5
    assert in_order(runs) == in_order([word] for word in layer)


def test_a_run_ends_where_words_are_not_level_or_not_in_order() -> None:
    first, second = row("one two", x=40, y=40)
    assert len(list(runs_of([first, second]))) == 1
    for other in (second._replace(y0=44, y1=54), second._replace(x0=10, x1=30), second._replace(line=1), second._replace(x0=90, x1=120)):
        assert list(runs_of([first, other])) == [[first], [other]]
    assert list(runs_of([])) == []


box = st.tuples(st.integers(0, 500), st.integers(0, 700), st.integers(1, 90), st.integers(4, 30))
words = st.lists(st.tuples(st.sampled_from(PROSE), box), max_size=40).map(
    lambda drawn: [Word(text, x, y, x + width, y + height) for text, (x, y, width, height) in drawn]
)


@given(words)
def test_ordering_loses_and_adds_no_word(drawn: list[Word]) -> None:
    ordered = in_order([word] for word in drawn)
    assert sorted(word._replace(line=0) for word in ordered) == sorted(drawn)
    assert [word.line for word in ordered] == sorted(word.line for word in ordered)
    assert {word.line for word in ordered} == set(range(len({word.line for word in ordered})))


edges = st.lists(st.integers(0, 700), min_size=3, max_size=6, unique=True).map(sorted)


@given(words, edges, edges)
def test_a_table_anywhere_loses_and_adds_no_word(drawn: list[Word], xs: list[int], ys: list[int]) -> None:
    ordered = in_order(([word] for word in drawn), [*grid(xs, ys), *grid([x + 7 for x in xs], ys[1:])])
    assert sorted(word._replace(line=0) for word in ordered) == sorted(drawn)
    assert [word.line for word in ordered] == sorted(word.line for word in ordered)


@given(words)
def test_within_a_line_words_run_from_left_to_right(drawn: list[Word]) -> None:
    for line in lines_of(Words(page=1, width=600, height=800, source="ocr", words=in_order([word] for word in drawn))):
        assert [word.x0 for word in line] == sorted(word.x0 for word in line)


@given(words, st.randoms())
def test_the_order_does_not_hang_on_the_order_of_arrival(drawn: list[Word], random: object) -> None:
    unique = list({(word.x0, word.y0 + word.y1): word for word in drawn}.values())
    shuffled = list(unique)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert in_order([word] for word in shuffled) == in_order([word] for word in unique)


@given(words, st.integers(0, 2000), st.integers(0, 2000))
def test_the_order_does_not_hang_on_where_the_page_begins(drawn: list[Word], right: int, down: int) -> None:
    moved = [word._replace(x0=word.x0 + right, x1=word.x1 + right, y0=word.y0 + down, y1=word.y1 + down) for word in drawn]
    assert [word.text for word in in_order([word] for word in moved)] == [word.text for word in in_order([word] for word in drawn)]


def test_page_text_parts_paragraphs() -> None:
    page = Words(
        page=1,
        width=600,
        height=800,
        source="ocr",
        words=in_order([row("One two", x=40, y=40), row("three.", x=40, y=54), row("Four five.", x=40, y=100)]),
    )
    assert page_text(page) == "One two\nthree.\n\nFour five."


def test_page_text_of_no_words_is_empty() -> None:
    assert page_text(Words(page=1, width=600, height=800, source="none")) == ""


# ---- marks -----------------------------------------------------------------------------------------------------------


def sheet(dpi: int = 200) -> np.ndarray:
    return np.full((round(11 * dpi), round(8.5 * dpi)), 245, np.uint8)


def square(image: np.ndarray, x: int, y: int, side: int, *, cross: bool = False, out: int = 0) -> None:
    cv2.rectangle(image, (x, y), (x + side, y + side), 20, 2)
    if cross:
        cv2.line(image, (x + 3, y + side - 3), (x + side - 3 + out, y + 3 - out), 20, 3)
        cv2.line(image, (x + 3, y + 3), (x + side - 3, y + side - 3), 20, 3)


def test_check_boxes_are_found_with_their_ink() -> None:
    image = sheet()
    square(image, 200, 300, 26)
    square(image, 200, 400, 26, cross=True)
    square(image, 200, 500, 32, cross=True, out=8)
    found = find_marks(image, dpi=200).checkboxes
    assert [(round(box.x0 * 200 / 72), round(box.y0 * 200 / 72)) for box in found] == [
        (pytest.approx(200, abs=3), pytest.approx(y, abs=3)) for y in (300, 400, 500)
    ]
    assert found[0].ink < 0.05 < 0.2 < found[1].ink
    assert found[2].ink > 0.15
    assert found[0].x1 - found[0].x0 == pytest.approx(27 * 0.36, abs=1.2)


def test_letters_grid_cells_and_bullets_are_no_check_boxes() -> None:
    image = sheet()
    for place, letter in enumerate("DO08BEHQGUo"):
        for size, y in ((0.8, 150), (1.4, 220)):
            cv2.putText(image, letter, (100 + place * 60, y), cv2.FONT_HERSHEY_SIMPLEX, size, 20, 2)
    for place in range(9):
        cv2.rectangle(image, (200 + place * 36, 400), (236 + place * 36, 436), 20, 2)
    cv2.rectangle(image, (200, 600), (212, 612), 10, -1)
    assert find_marks(image, dpi=200).checkboxes == ()


def test_rulings_are_found_in_points_even_as_hairlines() -> None:
    image = sheet()
    cv2.line(image, (100, 500), (1500, 500), 60, 1)
    cv2.line(image, (300, 600), (300, 1400), 20, 4)
    rulings = find_marks(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), dpi=200).rulings
    assert len(rulings) == 2
    assert rulings[0] == pytest.approx((36, 180, 540, 180), abs=1.5)
    assert rulings[1] == pytest.approx((108, 216, 108, 504), abs=2.5)


def test_a_blank_sheet_has_no_marks() -> None:
    assert find_marks(sheet(), dpi=200) == find_marks(np.full((3, 3), 255, np.uint8), dpi=200)


# ---- where a page's words come from ----------------------------------------------------------------------------------


class Scripted(OcrEngine):
    """Answers every image with one word that fills its middle, and notes what it was asked."""

    name = "scripted"

    def __init__(self, *texts: str) -> None:
        super().__init__()
        self.texts = list(texts)
        self.seen: list[tuple[tuple[int, ...], float | None]] = []

    def read(self, image: np.ndarray, *, languages: Sequence[str] = (), text_height: float | None = None) -> list[OcrLine]:
        self.seen.append((image.shape, text_height))
        height, width = image.shape[:2]
        return [OcrLine((Word(self.texts.pop(0), width * 0.25, height * 0.4, width * 0.75, height * 0.6, 0.9),), 0.9)]


def page_with(space: Workspace, **facts: object) -> Page:
    cv2.imwrite(str(space.path("page-0001.png")), sheet(100))
    return Page(number=1, width=612, height=792, **{"image": "page-0001.png", "dpi": 100.0, **facts})


def layer(space: Workspace, **parts: object) -> None:
    record = Words(page=1, width=612, height=792, source="text_layer", **{"words": (Word("printed", 50, 50, 90, 60),), **parts})
    space.save(space.page(1, "layer.json"), record)


def test_a_trusted_layer_is_taken_without_ocr(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    layer(space, rulings=(Ruling(0, 5, 100, 5),), checkboxes=(Checkbox(1, 1, 9, 9, 1.0),))
    ocr = Scripted()
    words = read_words(page_with(space, text_layer="trusted", image=None), ocr=ocr, languages=(), space=space)
    assert (words.source, words.engine, ocr.seen) == ("text_layer", None, [])
    assert [word.text for word in words.words] == ["printed"]
    assert len(words.rulings) == len(words.checkboxes) == 1


def test_an_untrusted_layer_is_read_again_from_the_image(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    layer(space)
    words = read_words(page_with(space, text_layer="untrusted"), ocr=Scripted("seen"), languages=(), space=space)
    assert (words.source, words.engine, [word.text for word in words.words]) == ("ocr", "scripted", ["seen"])
    assert words.words[0][1:5] == pytest.approx((153, 316.8, 459, 475.2), abs=0.8)
    assert words.words[0].confidence == 0.9


def test_of_a_partial_layer_only_the_images_are_read_and_nothing_twice(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    layer(space)
    ocr = Scripted("stamp", "printed")
    boxes = ((300.0, 300.0, 500.0, 400.0), (30.0, 45.0, 110.0, 65.0))
    words = read_words(page_with(space, text_layer="partial", image_boxes=boxes), ocr=ocr, languages=(), space=space)
    assert words.source == "mixed"
    assert [(word.text, word.confidence) for word in words.words] == [("printed", 1.0), ("stamp", 0.9)]
    assert words.words[1][1:5] == pytest.approx((350, 340, 450, 360), abs=2)
    assert all(shape[0] < 200 for shape, _ in ocr.seen)


def test_a_ruling_read_as_a_character_is_no_word(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    layer(space, words=(), rulings=(Ruling(306, 300, 306, 500),))
    assert read_words(page_with(space, text_layer="none"), ocr=Scripted("|"), languages=(), space=space).words == ()
    other = Workspace(tmp_path / "other")
    layer(other, words=(), rulings=(Ruling(206, 300, 206, 500),))
    assert len(read_words(page_with(other, text_layer="none"), ocr=Scripted("|"), languages=(), space=other).words) == 1


def test_words_are_read_once(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    page = page_with(space)
    first = read_words(page, ocr=Scripted("once"), languages=(), space=space)
    assert read_words(page, ocr=Scripted(), languages=(), space=space) == first == load_words(page, space)


def test_the_measured_letter_height_reaches_the_engine_in_pixels(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    ocr = Scripted("word")
    quality = {"blur": 100.0, "contrast": 0.9, "text_height": 7.2}
    read_words(page_with(space, quality=quality), ocr=ocr, languages=(), space=space)
    assert ocr.seen[0][1] == pytest.approx(10.0)


@pytest.mark.parametrize("image", [None, "missing.png", "broken.png"])
def test_a_page_that_needs_its_image_and_has_none_is_a_page_error(tmp_path: Path, image: str | None) -> None:
    space = Workspace(tmp_path)
    space.write(space.path("broken.png"), b"no image")
    with pytest.raises(PageError) as caught:
        read_words(page_with(space, image=image), ocr=Scripted(), languages=(), space=space)
    assert caught.value.page == 1
    assert load_words(page_with(space), space) is None
