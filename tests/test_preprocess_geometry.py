"""Exact maps and tiles: round trips over rotations, crop boxes, resolutions and skews; no text line cut."""

import math
from functools import partial

import cv2
import numpy as np
import pymupdf
import pytest
from drawn import printed
from hypothesis import given, settings
from hypothesis import strategies as st

from docpipe.preprocess.geometry import (
    Affine,
    page_to_image,
    points_to_pixels,
    straightened_size,
    straightening,
    tile_to_image,
    turned_size,
    turning,
    user_to_page,
)
from docpipe.preprocess.image import deskew
from docpipe.preprocess.tile import find_lines, tile
from docpipe.records import Tile

floats = partial(st.floats, allow_subnormal=False)  # libraries that other tests load may have turned those off in this process
sizes = floats(20, 15_000)
turns = st.sampled_from([0, 90, 180, 270])
skews = floats(-20, 20)
resolutions = floats(20, 600)
shares = floats(0, 1)


@settings(max_examples=200, deadline=None)
@given(sizes, sizes, turns, skews, resolutions, shares, shares, st.integers(50, 4000), st.integers(50, 4000), floats(0.2, 2))
def test_a_pixel_of_a_tile_comes_back(width, height, rotation, skew, dpi, x, y, tile_width, tile_height, scale):
    tiled = Tile(x0=13, y0=7, x1=13 + tile_width, y1=7 + tile_height, width=round(tile_width * scale), height=round(tile_height * scale))
    crop = (30.0, 50.0, 30.0 + width, 50.0 + height)
    down = user_to_page(crop).then(page_to_image(width, height, rotation=rotation, skew=skew, dpi=dpi)).then(tile_to_image(tiled).inverse())
    pixel = x * tiled.width, y * tiled.height
    back = down.point(*down.inverse().point(*pixel))
    assert math.dist(back, pixel) < 1e-3


@settings(max_examples=100, deadline=None)
@given(sizes, sizes, turns, skews)
def test_a_page_fits_its_turned_and_straightened_size(width, height, rotation, skew):
    left, top, right, bottom = turning(width, height, rotation).box((0, 0, width, height))
    assert (left, top, right, bottom) == pytest.approx((0, 0, *turned_size(width, height, rotation)))
    box = straightening(width, height, skew).box((0, 0, width, height))
    assert box == pytest.approx((0, 0, *straightened_size(width, height, skew)), abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(st.lists(floats(-5, 5), min_size=12, max_size=12), floats(-100, 100), floats(-100, 100))
def test_maps_are_put_together_in_reading_order(numbers, x, y):
    one, two = Affine(*numbers[:6]), Affine(*numbers[6:])
    assert one.then(two).point(x, y) == pytest.approx(two.point(*one.point(x, y)), abs=1e-6)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("dpi", [72, 150, 201.5])
def test_maps_agree_with_a_drawn_page(rotation, dpi):
    """A square drawn at a known place of a cropped, turned page is where the map says, to the pixel."""
    document = pymupdf.open()
    page = document.new_page(width=612, height=792)
    page.set_cropbox(pymupdf.Rect(30, 50, 600, 700))
    page.draw_rect((300, 200, 310, 210), fill=(0, 0, 0), color=None)
    page.set_rotation(rotation)
    pixmap = page.get_pixmap(matrix=pymupdf.Matrix(dpi / 72, dpi / 72), colorspace=pymupdf.csGRAY)
    pixels = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width)
    rows, columns = np.nonzero(pixels < 128)
    # PDF user space: drawn at 300..310 from the crop box's left, 200..210 from its top (700 there, 792 - 50 from the bottom).
    crop = (30.0, 792 - 700.0, 600.0, 792 - 50.0)
    drawn = (330.0, crop[3] - 210, 340.0, crop[3] - 200)
    box = user_to_page(crop).then(page_to_image(570, 650, rotation=rotation, skew=0, dpi=dpi)).box(drawn)
    assert box == pytest.approx((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1), abs=1)


@pytest.mark.parametrize("skew", [-5.0, 0.7, 12.0])
def test_straightened_pixels_are_where_the_map_says(skew):
    pixels = np.full((600, 400), 255, np.uint8)
    cv2.rectangle(pixels, (300, 80), (306, 86), 0, -1)
    rows, columns = np.nonzero(deskew(pixels, skew) < 128)
    expected = straightening(400, 600, skew).point(303.5, 83.5)
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx(expected, abs=0.5)


def test_scale_is_the_resolution_not_the_ratio_of_sizes():
    assert points_to_pixels(200).point(72, 36) == (200, 100)


# ---- tiles ------------------------------------------------------------------------------------------------------------


def cut_lines(tiles, boxes):
    return [
        box for box in boxes if not any(one.x0 <= box[0] and box[2] <= one.x1 and one.y0 <= box[1] and box[3] <= one.y1 for one in tiles)
    ]


def test_one_image_within_the_budget_is_no_tiles():
    assert tile(np.full((100, 100), 255, np.uint8), max_pixels=10_000) == ()
    with pytest.raises(ValueError, match="max_pixels"):
        tile(np.full((100, 100), 255, np.uint8), max_pixels=10)


@pytest.mark.parametrize("budget", [450_000, 800_000, 1_300_000])
def test_no_line_of_a_page_is_cut(budget):
    page = printed(dpi=150, lines=42)
    lines = find_lines(page)
    assert 40 <= len(lines) <= 46
    tiles = tile(page, max_pixels=budget)
    assert len(tiles) >= page.size / budget
    assert all((one.x1 - one.x0) * (one.y1 - one.y0) <= budget for one in tiles)
    assert all((one.x0, one.x1) == (0, page.shape[1]) for one in tiles)
    assert cut_lines(tiles, lines) == []


def test_a_tiny_budget_cuts_between_words():
    page = printed(dpi=200, lines=20)
    tiles = tile(page, max_pixels=250_000)
    assert len({one.x0 for one in tiles}) > 1
    assert cut_lines(tiles, find_lines(page, gap=3)) == []


@settings(max_examples=100, deadline=None)
@given(st.integers(300, 1500), st.integers(300, 4000), st.integers(30_000, 2_000_000), st.data())
def test_tiles_cover_the_image_and_cut_no_line_they_could_hold(width, height, budget, data):
    count = data.draw(st.integers(0, 30))
    lines = []
    for _ in range(count):
        y0 = data.draw(st.integers(0, height - 30))
        x0 = data.draw(st.integers(0, width // 2))
        lines.append((x0, y0, min(width, x0 + data.draw(st.integers(5, 90))), y0 + data.draw(st.integers(4, 28))))
    image = np.full((height, width), 255, np.uint8)
    tiles = tile(image, lines, max_pixels=budget)
    if width * height <= budget:
        assert tiles == ()
        return
    seen = np.zeros((height, width), bool)
    for one in tiles:
        assert 0 <= one.x0 < one.x1 <= width and 0 <= one.y0 < one.y1 <= height
        assert (one.x1 - one.x0) * (one.y1 - one.y0) <= budget
        seen[one.y0 : one.y1, one.x0 : one.x1] = True
    assert seen.all()
    third = max(one.y1 - one.y0 for one in tiles) // 3
    assert all(any(one.y0 <= box[1] and box[3] <= one.y1 for one in tiles) for box in lines if box[3] - box[1] <= third)
