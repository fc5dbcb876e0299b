"""Words -> rows and cells."""

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from docpipe.extract.labels.layout import lay_out
from docpipe.records import Ruling, Word, Words

floats = partial(st.floats, allow_subnormal=False)  # libraries that other tests load may have turned those off in this process


def page(*words: Word, rulings: tuple[Ruling, ...] = (), source: str = "text_layer") -> Words:
    return Words(page=1, width=595, height=842, source=source, words=words, rulings=rulings)


def word(text: str, x: float, y: float = 100, *, width: float | None = None, height: float = 10) -> Word:
    return Word(text, x, y, x + (width or 6 * len(text)), y + height)


def cells(words: Words) -> list[list[str]]:
    return [[segment.text for segment in line] for line in lay_out(words).lines]


def test_a_wide_gap_parts_cells_and_a_narrow_one_does_not() -> None:
    assert cells(page(word("Invoice", 50), word("No.", 96), word("4711", 300))) == [["Invoice No.", "4711"]]


def test_rows_go_from_top_to_bottom_whatever_order_the_words_came_in() -> None:
    assert cells(page(word("below", 50, 120), word("above", 50, 100))) == [["above"], ["below"]]


def test_a_vertical_ruling_parts_words_that_stand_close() -> None:
    close = (word("Box", 50), word("12", 72))
    assert cells(page(*close)) == [["Box 12"]]
    assert cells(page(*close, rulings=(Ruling(70, 90, 70, 120),))) == [["Box", "12"]]
    assert cells(page(*close, rulings=(Ruling(70, 200, 70, 220),))) == [["Box 12"]]


def test_a_key_glued_to_its_value_is_parted_but_urls_and_times_are_not() -> None:
    assert cells(page(word("TYPE=Amendment", 50)))[0] == ["TYPE= Amendment"]
    assert cells(page(word("http://example.com", 50)))[0] == ["http://example.com"]
    assert cells(page(word("12:30", 50)))[0] == ["12:30"]


def test_characters_map_back_to_words_and_boxes() -> None:
    (segment,) = lay_out(page(word("Total", 50), word("12.50", 85))).segments
    start = segment.text.index("12.50")
    assert [found.text for found in segment.words_at(start, start + 5)] == ["12.50"]
    assert segment.box_at(start, start + 5) == (85, 100, 115, 110)


def test_an_empty_page_has_no_line() -> None:
    layout = lay_out(page())
    assert layout.segments == () and layout.median_height > 0


@given(st.lists(st.tuples(floats(0, 500), floats(0, 800), floats(1, 80), floats(4, 30)), max_size=30))
def test_no_word_is_lost_or_doubled(places: list[tuple[float, float, float, float]]) -> None:
    words = page(*(Word(f"w{i}", x, y, x + width, y + height) for i, (x, y, width, height) in enumerate(places)))
    found = [word.text for segment in lay_out(words).segments for word in segment.words]
    assert sorted(found) == sorted(word.text for word in words.words)
