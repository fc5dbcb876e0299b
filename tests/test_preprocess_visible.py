"""Words that nobody who looks at the page can see are none."""

from pathlib import Path

import pymupdf
import pytest

from tests.drawn import only_page, texts, write_lines

WHITE, GREY = (1, 1, 1), (0.55, 0.55, 0.55)


def read(path: Path, draw) -> list[str]:
    document = pymupdf.open()
    page = document.new_page()
    write_lines(page, lines=8)
    draw(page)
    document.save(path)
    space, page = only_page(path)
    assert page.text_layer == "trusted"
    return texts(space)


def white_text(page: pymupdf.Page) -> None:
    page.insert_text((72, 700), "Total 9999.99", color=WHITE)


def painted_over(page: pymupdf.Page) -> None:
    page.insert_text((72, 700), "Total 9999.99")
    page.draw_rect(pymupdf.Rect(60, 680, 300, 710), color=WHITE, fill=WHITE)
    page.insert_text((400, 700), "Total 10.00")


def too_pale(page: pymupdf.Page) -> None:
    page.insert_text((72, 700), "Total 9999.99", color=(0.995, 0.995, 0.995))


@pytest.mark.parametrize("draw", [white_text, painted_over, too_pale])
def test_a_word_without_ink_is_dropped(draw, tmp_path: Path) -> None:
    found = read(tmp_path / "a.pdf", draw)
    assert "9999.99" not in found
    assert draw is not painted_over or "10.00" in found


def pale_but_there(page: pymupdf.Page) -> None:
    page.insert_text((72, 700), "Total 9999.99", color=GREY, fontsize=6)


def white_on_black(page: pymupdf.Page) -> None:
    page.draw_rect(pymupdf.Rect(60, 680, 300, 710), fill=(0, 0, 0))
    page.insert_text((72, 700), "Total 9999.99", color=WHITE)


def turned(page: pymupdf.Page) -> None:
    page.insert_text((72, 700), "Total 9999.99")
    page.set_rotation(90)


def cropped(page: pymupdf.Page) -> None:
    page.insert_text((72, 500), "Total 9999.99")
    page.set_cropbox(pymupdf.Rect(50, 50, 545, 600))


@pytest.mark.parametrize("draw", [pale_but_there, white_on_black, turned, cropped])
def test_a_word_with_ink_stays(draw, tmp_path: Path) -> None:
    assert "9999.99" in read(tmp_path / "a.pdf", draw)
