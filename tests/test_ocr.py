"""The OCR engines on text drawn here: what they read, where, how sure; and what happens when a part is not there."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pymupdf
import pytest

from docpipe.errors import EngineError, MissingError, UsageError
from docpipe.words import OcrEngine, OcrLine, load_ocr, tess
from docpipe.words.hangul import HangulReader, available, hangul_share, join
from docpipe.words.ocr.ppocr import Ppocr
from docpipe.words.ocr.tesseract import Tesseract
from docpipe.words.pp import Quad, Reading, Recognizer, find_colons, words_of
from docpipe.words.pp.detect import Scale
from docpipe.words.pp.quads import downwards, size, strip, upright, upwards, ways
from docpipe.words.pp.runtime import load_network
from docpipe.words.pp.weights import characters, is_latin, recognizer_model, verified
from docpipe.words.tess import LineReader, Piece, alone, find_data, installed

TEXT = ["Rechnung Nr. 4711-08", "Grün & Söhne GmbH", "Gesamtbetrag 1.234,56 EUR", "Zahlbar bis 31.12.2025"]
# In CI a missing part fails its tests; elsewhere they are skipped.
CI = "CI" in os.environ
needs_korean = pytest.mark.skipif(not available() and not CI, reason="tesserocr or the Korean data is not installed")
needs_english = pytest.mark.skipif(
    not (installed() and find_data("eng")) and not CI, reason="tesserocr or the English data is not installed"
)


def drawn(texts: Sequence[tuple[float, float, str]], *, font: str = "helv", size: float = 11, dpi: int = 200, turn: int = 0) -> np.ndarray:
    """A gray page of 300 x 200 points with these texts."""
    page = pymupdf.open().new_page(width=300, height=200)
    for x, y, text in texts:
        page.insert_text((x, y), text, fontname=font, fontsize=size, rotate=turn)
    pixels = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY)
    return np.frombuffer(pixels.samples, np.uint8).reshape(pixels.h, pixels.w).copy()


def stacked(texts: Sequence[str], **options: object) -> np.ndarray:
    return drawn([(30, 40 + 30 * place, text) for place, text in enumerate(texts)], **options)


@pytest.fixture(scope="module")
def ppocr(tmp_path_factory: pytest.TempPathFactory) -> OcrEngine:
    return load_ocr("ppocr", cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def read(ppocr: OcrEngine) -> Callable[..., list[str]]:
    """An image -> the text of its lines, top to bottom."""

    def texts(image: np.ndarray, **options: object) -> list[str]:
        lines = sorted(ppocr.read(image, **options), key=lambda line: line.words[0].y0)
        return [" ".join(word.text for word in line.words) for line in lines]

    return texts


# ---- the default engine ----------------------------------------------------------------------------------------------


def test_printed_lines_are_read_exactly_in_gray_and_colour(read: Callable[..., list[str]]) -> None:
    image = stacked(TEXT)
    assert read(image) == TEXT
    assert read(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)) == TEXT


def test_words_lie_where_they_are_printed(ppocr: OcrEngine) -> None:
    image = drawn([(40, 60, "Total amount 98.70")])
    [line] = ppocr.read(image)
    page = pymupdf.open().new_page(width=300, height=200)
    page.insert_text((40, 60), "Total amount 98.70", fontname="helv", fontsize=11)
    printed = [(word[4], word[0] * 200 / 72, word[2] * 200 / 72) for word in page.get_text("words")]
    assert [word.text for word in line.words] == [text for text, _, _ in printed]
    for word, (_, x0, x1) in zip(line.words, printed, strict=True):
        assert (word.x0, word.x1) == (pytest.approx(x0, abs=8), pytest.approx(x1, abs=8))
        assert 0.9 < word.confidence <= 1
        assert word.y0 < 60 * 200 / 72 - 8 and word.y1 > 60 * 200 / 72


@pytest.mark.parametrize("turn", [90, 270])
def test_lines_printed_upwards_or_downwards_are_read(ppocr: OcrEngine, turn: int) -> None:
    image = drawn([(150, 180 if turn == 90 else 20, "Order number 5512")], turn=turn)
    [line] = ppocr.read(image)
    assert [word.text for word in line.words] == ["Order", "number", "5512"]
    starts = [word.y0 for word in line.words]
    assert starts == sorted(starts, reverse=turn == 90)
    assert all(word.x1 - word.x0 < word.y1 - word.y0 for word in line.words[:2])


def test_digits_that_stand_alone_are_read(ppocr: OcrEngine) -> None:
    rows = [(60, "Cable drum", "12.40"), (85, "Junction box", "8.15"), (110, "Wall bracket", "3.99")]
    texts = [(x, y, text) for y, name, price in rows for x, text in ((20, "1"), (60, name), (200, price))]
    lines = ppocr.read(drawn(texts, size=9))
    assert sum(line.words[0].text == "1" and line.words[0].x0 < 100 for line in lines) == 3


def test_a_colon_that_stands_alone_between_a_label_and_its_value_is_read(ppocr: OcrEngine) -> None:
    rows = [(60, "Discount", "0.00"), (85, "Rounding", "0.02"), (110, "Total", "8.10")]
    image = drawn([(x, y, text) for y, name, value in rows for x, text in ((40, name), (115, ":"), (170, value))])
    colons = [word for line in ppocr.read(image) for word in line.words if word.text == ":"]
    assert len(colons) == 3
    assert all(word.x0 < 116.5 * 200 / 72 < word.x1 for word in colons)


def test_the_grain_of_paper_has_no_colons() -> None:
    image = np.full((500, 800), 240, np.uint8)
    quads = [level_quad(20, y, 200, y + 44) for y in range(20, 460, 50)] + [level_quad(600, y, 780, y + 44) for y in range(20, 460, 50)]
    for quad in quads[:9]:
        x, y = 300, int(quad[0, 1]) + 14
        image[y : y + 3, x : x + 3] = image[y + 12 : y + 15, x : x + 3] = 20
    assert len(find_colons(image, quads)) == 9
    places = np.random.default_rng(7).integers(10, 480, (400, 2))
    for y, x in places.tolist():
        image[y : y + 3, 210 + x % 380 : 213 + x % 380] = 20
    assert find_colons(image, quads) == []


def test_a_page_without_text_has_no_lines(ppocr: OcrEngine) -> None:
    assert ppocr.read(np.full((400, 300), 250, np.uint8)) == []
    assert ppocr.read(np.full((3, 300), 250, np.uint8)) == []


def test_an_image_that_is_a_view_of_a_larger_one_is_read(read: Callable[..., list[str]]) -> None:
    page = np.full((900, 1200), 255, np.uint8)
    image = stacked(TEXT[:2])
    page[100 : 100 + image.shape[0], 200 : 200 + image.shape[1]] = image
    assert read(page[100 : 100 + image.shape[0], 200 : 200 + image.shape[1]]) == TEXT[:2]


def test_chinese_and_japanese_are_read_where_asked_for_and_where_the_page_shows_them(read: Callable[..., list[str]]) -> None:
    chinese = ["增值税专用发票购买方名称", "纳税人识别号地址电话", "货物或应税劳务服务名称", "价税合计大写小写"]
    image = stacked(chinese, font="china-s")
    assert read(image, languages=("zh",)) == chinese
    assert read(image) == chinese


def test_without_korean_data_a_korean_page_is_said_to_be_unreadable_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tess, "USUAL", ())
    image = stacked(["세금계산서 공급가액", "사업자등록번호 상호", "합계금액 부가세액", "작성일자 비고란"], font="korea")
    engine = Ppocr(cache=tmp_path)
    with caplog.at_level(logging.WARNING):
        engine.read(image)
        engine.read(image)
    assert sum("Korean" in record.message for record in caplog.records) == 1


@needs_korean
def test_korean_is_read_where_asked_for_and_where_the_page_shows_it(read: Callable[..., list[str]]) -> None:
    korean = ["세금계산서 공급가액", "사업자등록번호 상호", "합계금액 부가세액", "작성일자 비고란"]
    image = stacked(korean, font="korea")
    asked, seen = read(image, languages=("ko",)), read(image)
    assert asked == seen
    assert sum(line.replace(" ", "") in "".join(asked).replace(" ", "") for line in (text.replace(" ", "") for text in korean)) >= 3


@needs_korean
def test_a_latin_page_stays_with_ppocr_though_korean_is_among_the_languages(read: Callable[..., list[str]]) -> None:
    assert read(stacked(TEXT), languages=("ko", "de")) == TEXT


# ---- models ----------------------------------------------------------------------------------------------------------


def test_the_latin_cut_is_kept_and_reads_as_the_full_model(tmp_path: Path) -> None:
    first = recognizer_model("latin", tmp_path)
    [kept] = tmp_path.iterdir()
    written = kept.stat().st_mtime_ns
    assert recognizer_model("latin", tmp_path) == first
    assert kept.stat().st_mtime_ns == written
    assert len(first) < 0.7 * len(recognizer_model("full", tmp_path))
    alphabet = characters(dict(load_network(first).metadata))
    assert set("aZ09äŁőß€£₩%&@ẠαΩ✓☐ ") <= set(alphabet)
    assert len(alphabet) == len(set(alphabet)) < 600


def test_a_damaged_cut_is_made_again(tmp_path: Path) -> None:
    whole = recognizer_model("latin", tmp_path)
    [kept] = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-1000])
    assert recognizer_model("latin", tmp_path) == whole
    assert hashlib.sha256(kept.read_bytes()[32:]).digest() == kept.read_bytes()[:32]


def test_where_the_cut_cannot_be_kept_it_reads_the_same(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    assert recognizer_model("latin", blocked / "cache") == recognizer_model("latin", tmp_path)


def test_a_model_file_with_another_content_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"something else")
    with pytest.raises(EngineError, match="not the one"):
        verified(file, hashlib.sha256(b"the real one").hexdigest())
    with pytest.raises(EngineError, match="cannot be read"):
        verified(tmp_path / "missing.onnx", "")
    with pytest.raises(EngineError, match="cannot be loaded"):
        load_network(b"no model")


def test_the_alphabet_of_business_documents() -> None:
    assert all(map(is_latin, "Aß€ŐŽ№–“”✓ễΩ"))
    assert not any(map(is_latin, "中あ한😀"))


# ---- parts -----------------------------------------------------------------------------------------------------------


def test_the_detector_never_enlarges_and_keeps_to_a_grid() -> None:
    scale = Scale()
    assert scale.longest(500, None) == 500
    assert scale.longest(2339, None) == 1280
    assert scale.longest(2339, 16.0) == 1440
    assert scale.longest(2339, 40.0) == 736
    assert scale.longest(9000, 5.0) == 1600


def level_quad(x0: float, y0: float, x1: float, y1: float) -> Quad:
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


def test_quads_turn_and_measure() -> None:
    quad = level_quad(10, 20, 110, 40)
    assert size(quad) == (100, 20)
    assert (upright(quad[[2, 0, 3, 1]]) == quad).all()
    assert len(ways(quad)) == 1
    tall = level_quad(10, 20, 30, 120)
    assert len(ways(tall)) == 3
    assert size(downwards(tall)) == size(upwards(tall)) == (100, 20)


def test_a_strip_is_cut_in_proportion_and_the_right_way_round() -> None:
    image = np.full((200, 200), 255, np.uint8)
    image[50:150, 60:80] = 0
    image[50:60, 60:80] = 128
    quad = level_quad(60, 50, 79, 149)
    down, up = strip(image, downwards(quad), 48), strip(image, upwards(quad), 48)
    assert down.shape[0] == up.shape[0] == 48
    assert down[24, 5] > 100 > down[24, -5]
    assert up[24, -5] > 100 > up[24, 5]


def test_words_are_cut_at_blanks_and_carry_their_least_sure_character() -> None:
    text = "ab cde"
    places = tuple(0.05 + 0.18 * place for place in range(len(text)))
    reading = Reading(text, places, (0.9, 0.99, 1.0, 0.8, 0.99, 0.6), level_quad(0, 0, 100, 10))
    first, second = words_of(reading)
    assert (first.text, first.confidence, second.text, second.confidence) == ("ab", 0.9, "cde", 0.6)
    assert first.x0 == 0 and first.x1 == pytest.approx(32) and second.x0 == pytest.approx(50)


def test_words_of_a_slanted_line_follow_the_slant() -> None:
    quad = np.array([[0, 0], [100, 20], [98, 30], [-2, 10]], np.float32)
    first, second = words_of(Reading("a b", (0.1, 0.5, 0.9), (1.0, 1.0, 1.0), quad))
    assert first.y1 < second.y1 and first.y0 < second.y0


def test_text_is_composed() -> None:
    [word] = words_of(Reading("e\u0301", (0.3, 0.5), (1.0, 0.9), level_quad(0, 0, 50, 10)))
    assert word.text == "\u00e9"


def test_hangul_is_joined_over_small_gaps_only() -> None:
    pieces = [Piece("세금", 0.0, 0.2, 0.9), Piece("계산서", 0.21, 0.4, 0.8), Piece("AB", 0.41, 0.5, 0.9), Piece("12", 0.505, 0.6, 0.9)]
    joined = join(pieces, gap=0.02)
    assert [piece.text for piece in joined] == ["세금계산서AB", "12"]
    assert joined[0].confidence == 0.8
    assert [piece.text for piece in join(pieces, gap=0.001)] == [piece.text for piece in pieces]


def test_the_share_of_hangul() -> None:
    assert (hangul_share("세금"), hangul_share("세A"), hangul_share("12"), hangul_share("")) == (1, 0.5, 0, 0)


# ---- tesseract -------------------------------------------------------------------------------------------------------


@needs_english
def test_tesseract_reads_the_same_lines() -> None:
    lines = load_ocr("tesseract").read(stacked(["Invoice number 4711", "Total 98.70"]), languages=("en",))
    texts = [" ".join(word.text for word in line.words) for line in lines]
    assert texts == ["Invoice number 4711", "Total 98.70"]
    assert all(0 < word.confidence <= 1 for line in lines for word in line.words)


def test_what_tesseract_lacks_is_named() -> None:
    if not installed():
        with pytest.raises(MissingError, match="tesserocr"):
            LineReader(("eng",))
        return
    with pytest.raises(MissingError, match="xyz"):
        LineReader(("xyz",))
    with pytest.raises(MissingError, match="'xq'"):
        Tesseract().read(stacked(TEXT[:1]), languages=("xq",))


@needs_english
def test_language_data_in_the_cache_folder_comes_first(tmp_path: Path) -> None:
    usual = find_data("eng")
    assert usual is not None
    mine = tmp_path / "tessdata"
    mine.mkdir()
    (mine / "eng.traineddata").symlink_to(usual / "eng.traineddata")
    assert find_data("eng", (mine,)) == mine
    assert LineReader(("eng",), folders=(mine,)).read(strip(stacked(["Invoice"]), level_quad(60, 70, 300, 130), 48))


@needs_korean
def test_a_korean_line_is_read_with_boxes_inside_it(read: Callable[..., list[str]]) -> None:
    image = stacked(["공급가액 합계금액"], font="korea", size=14)
    words = HangulReader().read(image, level_quad(75, 60, 450, 125))
    assert "".join(word.text for word in words) == "공급가액합계금액"
    assert all(75 <= word.x0 < word.x1 <= 451 for word in words)


@needs_korean
def test_latin_letters_and_digits_in_a_korean_line_are_read_by_the_other_reader(tmp_path: Path) -> None:
    image = drawn([(30, 40, "실험종 : "), (112, 40, "(수컷)")], font="korea", size=12)
    image = np.minimum(image, drawn([(84, 40, "Rat")], size=12))
    quad = level_quad(70, 70, 420, 125)
    text = "".join(word.text for word in HangulReader(latin=Recognizer(cache=tmp_path)).read(image, quad))
    assert text == "실험종:Rat(수컷)"


def test_what_reaches_into_a_line_from_its_neighbours_is_wiped_out() -> None:
    line = np.full((48, 100), 250, np.uint8)
    line[16:34, 20:80] = 10
    line[10:13, 40:44] = 10  # a dot above a letter, which touches no edge
    whole = line.copy()
    assert alone(line) is line
    line[:4, 10:60] = line[-3:, 30:90] = 10
    assert (alone(line) == whole).all()
    line[:16, 30:32] = 10  # no white between: a part of the line
    assert (alone(line)[:16] == line[:16]).all()


# ---- the seam --------------------------------------------------------------------------------------------------------


class Fixed(OcrEngine):
    name = "fixed"

    def read(self, image: np.ndarray, *, languages: Sequence[str] = (), text_height: float | None = None) -> list[OcrLine]:
        return []


def test_an_engine_is_chosen_by_name_or_reference(tmp_path: Path) -> None:
    assert load_ocr("ppocr", cache=tmp_path).cache == tmp_path
    assert load_ocr(f"{__name__}:Fixed").name == "fixed"
    with pytest.raises(UsageError, match="no 'nothing'"):
        load_ocr("nothing")
