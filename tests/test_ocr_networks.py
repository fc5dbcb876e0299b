"""What makes the networks cheaper: 8-bit products and images without their empty parts. Neither may change what is found."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from docpipe.words.pp.detect import Detector
from docpipe.words.pp.int8 import LEAST_CHANNELS, rounded, to_int8
from docpipe.words.pp.pack import LEAST, WHITE, pack
from docpipe.words.pp.quads import between, size
from docpipe.words.pp.recognize import Recognizer
from docpipe.words.pp.runtime import OnnxRuntime, int8_pays, optimized
from docpipe.words.pp.weights import detector_model, recognizer_model

needs_int8 = pytest.mark.skipif(not int8_pays(), reason="the processor has no 8-bit products")


def convolutions(*kernels: tuple[int, int, int]) -> bytes:
    """A network of convolutions one after the other, each (inputs, outputs, side of its kernel), with biases."""
    chance = np.random.default_rng(1)
    nodes, constants = [], []
    for place, (inputs, outputs, side) in enumerate(kernels):
        weights = chance.normal(0, 1 / np.sqrt(inputs * side * side), (outputs, inputs, side, side)).astype(np.float32)
        constants += [numpy_helper.from_array(weights, f"w{place}"), numpy_helper.from_array(np.ones(outputs, np.float32), f"b{place}")]
        nodes.append(helper.make_node("Conv", [f"x{place}", f"w{place}", f"b{place}"], [f"x{place + 1}"], kernel_shape=[side, side]))
    start = helper.make_tensor_value_info("x0", TensorProto.FLOAT, [1, kernels[0][0], None, None])
    end = helper.make_tensor_value_info(f"x{len(kernels)}", TensorProto.FLOAT, [1, kernels[-1][1], None, None])
    graph = helper.make_graph(nodes, "made", [start], [end], constants)
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=10).SerializeToString())


def kinds(model: bytes) -> list[str]:
    return [node.op_type for node in onnx.load_from_string(model).graph.node if node.op_type != "Transpose"]


@needs_int8
def test_8_bits_compute_nearly_the_same() -> None:
    model = convolutions((LEAST_CHANNELS, 2 * LEAST_CHANNELS, 1), (2 * LEAST_CHANNELS, LEAST_CHANNELS, 1))
    values = np.random.default_rng(2).normal(0, 1, (1, LEAST_CHANNELS, 6, 40)).astype(np.float32)
    exact, near = OnnxRuntime(model).run(values), OnnxRuntime(to_int8(model)).run(values)
    assert near.shape == exact.shape
    assert 0 < np.abs(near - exact).max() < 0.06 * exact.std() + 0.02


def test_only_large_plain_products_are_rounded() -> None:
    model = convolutions((LEAST_CHANNELS, LEAST_CHANNELS, 3), (LEAST_CHANNELS, LEAST_CHANNELS, 1), (LEAST_CHANNELS, 8, 1))
    assert kinds(to_int8(model)) == ["Conv", "DynamicQuantizeMatMul", "Conv"]


def test_weights_are_rounded_per_column_and_a_column_of_nothing_stays_nothing() -> None:
    weights = np.array([[1.0, 0.0, 1e-44, 100.0], [-0.5, 0.0, 0.0, 50.0]], np.float32)
    matrix = rounded(weights)
    assert matrix.steps.tolist() == [[127, 0, 0, 127], [-64, 0, 0, 64]]
    assert np.abs(matrix.steps * matrix.scale - weights).max() < 0.5


def test_the_8_bit_models_are_smaller_and_kept(tmp_path: Path) -> None:
    small, whole = recognizer_model("latin", tmp_path, int8=True), recognizer_model("latin", tmp_path)
    assert len(small) < 0.6 * len(whole)
    assert len(detector_model(tmp_path, int8=True)) < 0.6 * len(detector_model(tmp_path))
    assert len(list(tmp_path.iterdir())) == 3
    assert recognizer_model("latin", tmp_path, int8=True) == small


def test_a_product_and_what_it_is_added_to_are_turned_once_together() -> None:
    model = onnx.load_from_string(convolutions((8, LEAST_CHANNELS, 3), *[(LEAST_CHANNELS, LEAST_CHANNELS, 1)] * 2, (LEAST_CHANNELS, 8, 3)))
    added = helper.make_node("Add", ["x3", "x1"], ["sum"])
    model.graph.node[3].input[0] = "sum"
    model.graph.node.insert(3, added)
    plain = bytes(model.SerializeToString())
    made = to_int8(plain)
    assert [node.op_type for node in onnx.load_from_string(made).graph.node] == [
        *("Conv", "Transpose", "DynamicQuantizeMatMul", "DynamicQuantizeMatMul"),
        *("Add", "Transpose", "Conv"),
    ]
    if int8_pays():
        values = np.random.default_rng(5).normal(0, 1, (1, 8, 12, 40)).astype(np.float32)
        exact, near = OnnxRuntime(plain).run(values), OnnxRuntime(made).run(values)
        assert np.abs(near - exact).max() < 0.06 * exact.std() + 0.02


@needs_int8
def test_a_model_that_is_kept_needs_no_making_over_and_computes_the_same(tmp_path: Path) -> None:
    kept = detector_model(tmp_path, int8=True)
    assert sorted(kinds(optimized(kept, level="ORT_ENABLE_ALL"))) == sorted(kinds(kept))
    made = to_int8(detector_model(tmp_path))
    assert sorted(kinds(optimized(made, level="ORT_ENABLE_ALL"))) != sorted(kinds(made))
    values = np.random.default_rng(4).uniform(-1, 1, (1, 3, 64, 96)).astype(np.float32)
    assert (OnnxRuntime(kept).run(values) == OnnxRuntime(made).run(values)).all()


def page(*rows: int, noise: float = 0.0) -> np.ndarray:
    """A sheet of 1200 x 900 pixels with a printed line at each of these heights, from x = 200 to about 550."""
    image = np.full((1200, 900), 245, np.uint8)
    for y in rows:
        cv2.putText(image, "Total amount 98.70 EUR", (200, y), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 30, 2)
    if noise:
        image = np.clip(image + np.random.default_rng(3).normal(0, noise, image.shape), 0, 255).astype(np.uint8)
    return image


@pytest.mark.parametrize("noise", [0.0, 12.0])
def test_margins_and_white_bands_are_left_out(noise: float) -> None:
    packed = pack(page(300, 1000, noise=noise))
    height, width = packed.image.shape
    assert height < 2 * (30 + 2 * WHITE) + 40 and 320 + WHITE < width < 430
    assert packed.rows[0] < 300 - 20 and packed.rows[-1] > 1000
    assert (np.diff(packed.rows) > LEAST).sum() == 1
    assert packed.image.shape == (len(packed.rows), len(packed.columns))


def test_points_of_the_packed_image_are_those_of_the_whole_one() -> None:
    whole = page(300, 1000)
    packed = pack(whole)
    for y, x in ((5, 7), (packed.image.shape[0] - 3, 40)):
        [[there_x, there_y]] = packed.unpacked(np.array([[x, y]], np.float32))
        assert whole[int(there_y), int(there_x)] == packed.image[y, x]


def test_the_white_ends_of_a_line_are_not_read(tmp_path: Path) -> None:
    image, wide = page(300), np.array([[20, 265], [880, 265], [880, 315], [20, 315]], np.float32)
    reading = Recognizer(cache=tmp_path).read(image, wide)
    assert reading.text == "Total amount 98.70 EUR"
    assert reading.quad[0, 0] == pytest.approx(200, abs=20) and reading.quad[1, 0] < 620
    assert (reading.quad[:, 1] == wide[:, 1]).all()


def test_a_stretch_of_a_slanted_line_lies_on_it() -> None:
    quad = np.array([[0, 0], [100, 20], [100, 30], [0, 10]], np.float32)
    assert between(quad, 0.25, 0.5).tolist() == [[25, 5], [50, 10], [50, 20], [25, 15]]


def test_a_page_without_print_stays_whole_and_colour_is_kept() -> None:
    empty = np.full((300, 200), 240, np.uint8)
    assert pack(empty).image.shape == empty.shape
    assert pack(cv2.cvtColor(page(300), cv2.COLOR_GRAY2BGR)).image.shape[2] == 3


def test_lines_are_found_where_they_stand_on_a_mostly_empty_page(tmp_path: Path) -> None:
    quads = Detector(cache=tmp_path).find(page(100, 300, 1100))
    assert [round(float(quad[:, 1].mean()), -1) for quad in quads] == [90, 290, 1090]
    assert all(quad[0, 0] == pytest.approx(200, abs=15) and size(quad)[0] == pytest.approx(350, abs=40) for quad in quads)
