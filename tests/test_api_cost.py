"""What a call costs: the examples that OpenAI publishes, the prices as data, what nobody knows."""

import json
import math
import subprocess
import sys
import zipfile
from decimal import Decimal

import pytest
from faces import ROOT
from hypothesis import given
from hypothesis import strategies as st

from docpipe.backends._api.cost import CAREFUL, cost, image_tokens, load_prices, text_tokens
from docpipe.backends._api.images import Size, patches
from docpipe.errors import UsageError

pytestmark = pytest.mark.api

SMALL = Size(side=2048, patches=1536)
DETAILS = ("low", "high", "original", "auto")
sides = st.integers(1, 9000)


@pytest.mark.parametrize(
    "width, height, model, detail, tokens",
    (
        # The guide's examples for tiles, with 85 and 170 tokens (Images and vision, "Calculating costs", as of 2025).
        (1024, 1024, "gpt-4o", "high", 765),
        (2048, 4096, "gpt-4o", "high", 1105),
        (4096, 8192, "gpt-4o", "low", 85),
        # Its examples for patches, as of autumn 2026: 1024 patches times 1.2, and 2500.
        (1024, 1024, "gpt-5.4", "high", 1229),
        (2048, 2048, "gpt-5.4", "high", 3000),
        # Its examples of 2025 for models with at most 1536 patches, 1024 and 1452 of them, times the model's multiplier.
        (1024, 1024, "gpt-4.1-nano", "high", math.ceil(1024 * 2.46)),
        (1800, 2400, "o4-mini", "high", math.ceil(1452 * 1.72)),
        # Measured by others: gpt-5-mini, 2048 x 768 and 256 x 256 (community.openai.com, June 2026).
        (2048, 768, "gpt-5-mini", "auto", 1844),
        (256, 256, "gpt-5-mini", "auto", 77),
        # A4 at 200 dpi.
        (1654, 2339, "gpt-4o", "auto", 85 + 6 * 170),
        (1654, 2339, "gpt-4o-mini", "high", 2833 + 6 * 5667),
        (1654, 2339, "gpt-5.6-luna", "original", math.ceil(52 * 74 * 1.2)),
        (1654, 2339, "gpt-5.6-luna", "low", math.ceil(12 * 16 * 1.2)),
        # Small images are not enlarged.
        (300, 200, "gpt-4.1", "high", 255),
        (300, 200, "gpt-5.6-sol", "high", math.ceil(10 * 7 * 1.2)),
    ),
)
def test_images_cost_what_the_guide_says(width, height, model, detail, tokens):
    assert image_tokens(width, height, model=model, detail=detail) == tokens


def test_patches_are_those_of_the_guides_examples():
    assert patches(1024, 1024, size=SMALL) == 1024
    assert patches(1800, 2400, size=Size(patches=1536)) == 33 * 44 == 1452
    assert patches(2048, 2048, size=Size(side=2048, patches=2500)) == 50 * 50


@given(sides, sides, st.integers(256, 10_000))
def test_patches_are_scaled_as_the_guide_computes(width, height, most):
    """Its formula is in floating point, which at whole numbers can fall to either side: a row and a column of patches."""
    ours = patches(width, height, size=Size(patches=most))
    assert ours <= most
    if math.ceil(width / 32) * math.ceil(height / 32) <= most:
        assert ours == math.ceil(width / 32) * math.ceil(height / 32)
        return
    shrink = math.sqrt(32**2 * most / (width * height))
    across, down = width * shrink / 32, height * shrink / 32
    if min(across, down) < 1:
        return  # so narrow that the formula gives none
    shrink *= min(math.floor(across) / across, math.floor(down) / down)
    theirs = math.ceil(math.floor(width * shrink) / 32) * math.ceil(math.floor(height * shrink) / 32)
    assert abs(ours - theirs) <= across + down + 1


@given(sides, sides, st.sampled_from(sorted(load_prices().models)), st.sampled_from(DETAILS))
def test_every_image_costs_something_and_less_than_a_careful_guess(width, height, model, detail):
    tokens = image_tokens(width, height, model=model, detail=detail)
    assert tokens >= 1
    if width * height >= 1_000_000 and max(width, height) < 8 * min(width, height) and model != "gpt-4o-mini":
        assert tokens <= CAREFUL.tokens(max(width, 1654), max(height, 2339), detail)


def test_a_model_is_found_by_its_name_or_that_of_a_snapshot_and_by_nothing_else():
    prices = load_prices()
    assert prices.price("gpt-4o-2024-08-06") == prices.price("GPT-4o") == prices.price("gpt-4o-latest")
    assert prices.price("gpt-4o-2024-05-13").input == 5
    for unknown in ("gpt-5-pro", "gpt-4o-audio-preview", "ft:gpt-4o-2024-08-06:me::1", "my-deployment", "Qwen/Qwen2.5-VL-7B-Instruct", ""):
        assert prices.price(unknown) is None
        assert image_tokens(1654, 2339, model=unknown, detail="high") == CAREFUL.tokens(1654, 2339, "high") > 5000
        assert cost(unknown, prompt_tokens=10, completion_tokens=10) is None


def test_every_price_is_whole_and_dated():
    prices = load_prices()
    assert len(prices.models) > 20 and "developers.openai.com" in prices.about
    for price in prices.models.values():
        assert 0 < price.input < price.output and (price.cached or 0) < price.input and price.date > "2025"
        assert price.image is None or price.image in prices.images


def test_cost_is_exact_and_cached_tokens_are_cheaper():
    assert cost("gpt-4o", prompt_tokens=1_000_000, completion_tokens=0) == Decimal("2.5")
    assert cost("gpt-4o", prompt_tokens=1105, cached_tokens=1024, completion_tokens=300) == Decimal("0.0044825")
    assert cost("o1-pro", prompt_tokens=10, cached_tokens=10, completion_tokens=0) == Decimal("0.0015"), (
        "no price of its own for cached ones"
    )
    assert cost("gpt-4o", prompt_tokens=0, cached_tokens=5, completion_tokens=0) > 0


@pytest.mark.parametrize(
    "text, true",  # what cl100k_base makes of it, by OpenAI's cookbook "How to count tokens with tiktoken"
    (("", 0), ("antidisestablishmentarianism", 6), ("2 + 2 = 4", 7), ("tiktoken is great!", 6), ("お誕生日おめでとう", 9)),
)
def test_a_text_is_rather_thought_too_long(text, true):
    assert true <= text_tokens(text) <= max(2 * true, 10)


@given(st.text())
def test_no_text_has_more_tokens_than_bytes(text):
    assert text_tokens(text) <= len(text.encode())


def test_a_users_file_overrides_entries_and_adds_some(tmp_path):
    own = tmp_path / "prices.json"
    mine = {"image": "mine", "input": "0.5", "output": 1, "date": "2026-11-26"}
    rule = {"way": "patches", "patch": 28, "multiplier": "1"}
    own.write_text(json.dumps({"images": {"mine": rule}, "models": {"gpt-4o": mine, "Qwen*": {**mine, "input": 0, "output": 0}}}))
    prices = load_prices(own)
    assert image_tokens(280, 280, model="gpt-4o", detail="high", prices=prices) == 100
    assert cost("gpt-4o", prompt_tokens=1_000_000, completion_tokens=0, prices=prices) == Decimal("0.5")
    assert cost("Qwen/Qwen2.5-VL-7B-Instruct", prompt_tokens=9, completion_tokens=9, prices=prices) == 0
    assert prices.price("gpt-4.1") == load_prices().price("gpt-4.1")
    assert cost("gpt-4o", prompt_tokens=1_000_000, completion_tokens=0) == Decimal("2.5"), "the built-in ones stay"


@pytest.mark.parametrize(
    "content, said",
    (
        ("{", "no file of prices"),
        ('{"models": {"a": {"input": "x"}}}', "models.a"),
        ('{"models": {"a": {"input": "-1", "output": "1", "date": "d"}}}', "models.a.input"),
        ('{"modells": {}}', "modells"),
        ('{"models": {"a": {"image": "none", "input": "1", "output": "1", "date": "d"}}}', "no rule"),
    ),
)
def test_a_file_that_is_wrong_is_refused(content, said, tmp_path):
    own = tmp_path / "prices.json"
    own.write_text(content)
    with pytest.raises(UsageError, match=said):
        load_prices(own)
    with pytest.raises(UsageError, match="cannot be read"):
        load_prices(tmp_path / "missing.json")


def test_the_prices_are_in_the_wheel(tmp_path):
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        assert json.loads(packed.read("docpipe/backends/_api/prices.json"))["models"]
