"""Picture files and pixels: every mode and format, orientation, skew, light, blankness, quality; and a format of a user's own."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from drawn import image, leaning, only_page, pages_of, printed
from PIL import Image

from docpipe.preprocess import lines, upright
from docpipe.preprocess.ink import quarter_turns
from docpipe.preprocess.skew import measure_skew
from docpipe.preprocess.tone import drop_false_colour, even_light, is_blank, measure_quality
from docpipe.preprocess.upright import measure_turn

FORMAT = '''
"""Pages of text drawn with characters: # is ink."""
from docpipe.preprocess.formats import Format
from docpipe.preprocess.sheet import LayerWord, Raster, Sheet


class Banner(Format):
    @staticmethod
    def media_type(head):
        return "text/x-banner" if head.startswith(b"BANNER") else None

    def __init__(self, path, *, password, bounds):
        self.sheets = path.read_text().split("\\f")[1:]

    @property
    def pages(self):
        return len(self.sheets)

    def sheet(self, number):
        words = [LayerWord("BANNER", 1.0, 1.0, 8.0, 2.0)] if number == 1 else []
        return Sheet(100.0, 100.0, layer="trusted" if words else "none", needs_image=not words, words=words)

    def raster(self, number, *, dpi, turn):
        rows = self.sheets[number - 1].split()
        data = bytes(0 if ink == "#" else 255 for row in rows for ink in row)
        return Raster(len(rows[0]), len(rows), 1, data, 72.0)
'''


def saved(path: Path, picture: Image.Image, **options) -> Path:
    picture.save(path, **options)
    return path


def gray() -> Image.Image:
    return Image.fromarray(printed(dpi=100))


def likeness(one: np.ndarray, two: np.ndarray) -> float:
    one = one if one.ndim == 2 else cv2.cvtColor(one, cv2.COLOR_BGR2GRAY)
    assert one.shape == two.shape
    return float(np.corrcoef(one.ravel(), two.ravel())[0, 1])


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "bmp", "gif", "tif", "heic"])
def test_every_format_by_its_content(tmp_path, kind):
    pillow_heif.register_heif_opener()
    path = saved(tmp_path / f"a.{kind}", gray().convert("RGB"))
    path = path.rename(tmp_path / "no-name-to-go-by")
    space, page = only_page(path)
    assert likeness(image(space, page), printed(dpi=100)) > 0.97
    assert page.text_layer == "none"


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "I;16", "I", "F", "YCbCr", "palette-alpha"])
def test_every_mode_shows_the_same_page(tmp_path, mode):
    picture = gray()
    if mode in ("LA", "RGBA"):  # black on nothing
        alpha = Image.eval(picture, lambda value: 255 - value)
        picture = Image.merge("LA", (Image.new("L", picture.size, 0), alpha)).convert(mode)
    elif mode == "I;16":
        picture = Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)
    elif mode == "palette-alpha":
        picture = picture.convert("P")
        picture.info["transparency"] = 255
    else:
        picture = picture.convert(mode)
    path = saved(tmp_path / "a.tif", picture) if mode in ("CMYK", "I", "F", "YCbCr") else saved(tmp_path / "a.png", picture)
    space, page = only_page(path)
    assert likeness(image(space, page), printed(dpi=100)) > 0.8


@pytest.mark.parametrize(("orientation", "turn"), [(3, 180), (6, 90), (8, 270)])
def test_exif_orientation_is_followed(tmp_path, orientation, turn):
    exif = Image.Exif()
    exif[274] = orientation
    path = saved(tmp_path / "a.jpg", gray().rotate(turn, expand=True), exif=exif, quality=90)
    space, page = only_page(path)
    assert page.rotation == turn
    assert likeness(image(space, page), printed(dpi=100)) > 0.95


def test_a_tiff_has_all_its_pages_and_an_animation_one(tmp_path):
    frames = [gray(), gray().rotate(180), gray()]
    _, pages = pages_of(saved(tmp_path / "a.tif", frames[0], save_all=True, append_images=frames[1:], dpi=(100, 100)))
    assert [(page.number, page.rotation) for page in pages] == [(1, 0), (2, 180), (3, 0)]
    only_page(saved(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:]))


def test_a_resolution_that_makes_sense_is_believed(tmp_path):
    _, stated = only_page(saved(tmp_path / "stated.png", gray(), dpi=(200, 200)))
    assert stated.dpi == pytest.approx(200, abs=0.1)
    _, absurd = only_page(saved(tmp_path / "absurd.png", gray(), dpi=(3, 3)))
    assert absurd.width == pytest.approx(595, abs=1)


def test_a_fax_gets_square_pixels(tmp_path):
    page = Image.fromarray(printed(dpi=204))
    path = saved(tmp_path / "fax.tif", page.resize((page.width, page.height // 2)).convert("1"), dpi=(204, 102), compression="group4")
    _, found = only_page(path)
    assert found.height / found.width == pytest.approx(842 / 595, rel=0.01)


@pytest.mark.parametrize("quarter", [0, 1, 2, 3])
def test_a_page_is_set_upright(tmp_path, quarter):
    path = saved(tmp_path / "a.png", Image.fromarray(quarter_turns(printed(), quarter)), dpi=(150, 150))
    space, page = only_page(path)
    assert page.rotation == (-90 * quarter) % 360
    assert likeness(image(space, page), printed()) > 0.97


@pytest.mark.parametrize("votes", [lambda line: -0.9, lambda line: -0.9 if line % 2 else 0.6])
def test_a_page_stays_where_the_classifier_denies_its_lines_either_way_up(monkeypatch, votes):
    monkeypatch.setattr(upright, "upside_down", lambda gray, binary, boxes: [votes(line) for line in range(len(boxes))])
    assert measure_turn(printed())[0] == 0
    assert measure_turn(quarter_turns(printed(), 2))[0] == 0


def test_up_and_down_by_ascenders_alone():
    binary = (printed() < 128).astype(np.uint8)
    first_line = np.flatnonzero(binary.any(axis=1))[0]
    line = binary[first_line : first_line + 22]
    assert lines._ascenders(line) == 1 and lines._ascenders(line[::-1]) == -1
    assert lines._ascenders(np.zeros((20, 100), np.uint8)) is None


@pytest.mark.parametrize("degrees", [-12.0, -3.0, -0.6, 0.0, 1.4, 7.0])
def test_skew_is_measured(degrees):
    assert measure_skew(leaning(printed(), degrees)) == pytest.approx(degrees, abs=0.1)


def test_a_leaning_page_is_straightened_and_keeps_its_corners(tmp_path):
    pixels = leaning(printed(lines=42), 4)
    cv2.circle(pixels, (12, 12), 8, 0, -1)
    space, page = only_page(saved(tmp_path / "a.png", Image.fromarray(pixels), dpi=(150, 150)))
    assert page.skew == pytest.approx(4, abs=0.1)
    straight = image(space, page)
    assert measure_skew(straight) == pytest.approx(0, abs=0.1)
    assert straight.shape[0] > pixels.shape[0] and straight.shape[1] > pixels.shape[1]
    assert (page.width, page.height) == pytest.approx((straight.shape[1] * 72 / 150, straight.shape[0] * 72 / 150), abs=0.2)
    assert (255 - straight.astype(int)).sum() == pytest.approx((255 - pixels.astype(int)).sum(), rel=0.02), "no ink is lost"


def test_nothing_certain_is_left_alone():
    chance = np.random.default_rng(1)
    assert measure_skew(np.full((500, 400), 255, np.uint8)) == 0
    assert measure_turn(chance.integers(0, 256, (700, 500), dtype=np.uint8))[0] == 0
    assert measure_turn(np.full((3, 2), 255, np.uint8)) == (0, 0.0)


def test_uneven_light_is_evened_and_even_light_left():
    page = printed()
    assert even_light(page) is page
    shaded = (page * np.linspace(0.45, 1, page.shape[1])[None]).astype(np.uint8)
    light = even_light(shaded)
    paper = light[page == 255]
    assert np.percentile(paper, 2) > 235 and light[page < 60].mean() < 120
    coloured = cv2.merge([shaded, shaded, (shaded * 0.8).astype(np.uint8)])
    assert even_light(coloured).shape == coloured.shape


def test_colour_is_kept_where_there_is_some():
    page = cv2.cvtColor(printed(), cv2.COLOR_GRAY2RGB)
    assert drop_false_colour(page).ndim == 2
    assert drop_false_colour((page * np.array([1, 0.95, 0.8])).astype(np.uint8)).ndim == 2
    page[100:200, 100:300] = (200, 20, 30)
    assert drop_false_colour(page).ndim == 3


def test_blank_is_what_shows_nothing():
    chance = np.random.default_rng(0)
    shaded = np.linspace(190, 250, 1200)[None].repeat(1600, 0) + chance.normal(0, 6, (1600, 1200))
    paper = np.clip(shaded, 0, 255).astype(np.uint8)
    assert is_blank(paper)
    cv2.putText(paper, "7", (600, 1550), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 40, 2)
    assert not is_blank(paper)
    assert is_blank(np.full((1, 1), 200, np.uint8))


def test_quality_tells_sharp_from_blurred():
    page = printed(dpi=200)
    sharp, blurred = measure_quality(page, 200), measure_quality(cv2.GaussianBlur(page, (0, 0), 4), 200)
    assert sharp.blur > 60 > blurred.blur and sharp.contrast > 0.7 > blurred.contrast
    assert sharp.text_height == pytest.approx(6, abs=2)
    assert measure_quality(np.full((100, 100), 255, np.uint8), 200).text_height is None


def test_a_format_of_ones_own_is_one_file(tmp_path):
    plugin = tmp_path / "banner.py"
    plugin.write_text(FORMAT)
    ink = "\n".join("." * 200 if row % 20 else "." * 40 + "#" * 120 + "." * 40 for row in range(200))
    path = tmp_path / "a.any"
    path.write_text("BANNER\ffirst\f" + ink)
    space, pages = pages_of(path, formats=(f"{plugin}:Banner",))
    assert [(page.text_layer, page.image) for page in pages] == [("trusted", None), ("none", "page-0002.jpg")]
    assert image(space, pages[1]).shape == (200, 200)
    assert any(name.startswith("_docpipe_banner") for name in sys.modules)
