"""Local models, with tiny random weights: from a folder to an answer, for every family."""

import subprocess
import sys
import threading
from datetime import date

import pytest
from checkpoints import BACKENDS, checkpoint
from faces import ROOT, environment
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from docpipe.backends import ModelOptions, Question, Shot, load_backend
from docpipe.backends._families import QWEN
from docpipe.backends._hf.loops import loops
from docpipe.errors import DeadlineError, EngineError, MissingError, UsageError

pytestmark = pytest.mark.vlm

QWENS = [name for name, backend in BACKENDS.items() if backend == "qwen_vl"]


def picture(width=300, height=200, text="INV-1234 TOTAL 56.78"):
    image = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(image).text((5, 5), text, fill="black")
    return image


def backend(name, **options):
    return load_backend(BACKENDS[name], ModelOptions(model=str(checkpoint(name)), **options))


def question(asked, text="Read it.", size=(300, 200), **more):
    return Question(images=(picture(*asked.fit(*size), text=text),), text=text, **{"most_tokens": 24, **more})


@pytest.mark.parametrize("name", BACKENDS)
def test_a_checkpoint_answers_and_answers_the_same_once_reloaded(name):
    first, second = backend(name), backend(name)
    one, other = first.ask(question(first)), second.ask(question(second))
    assert one == other
    assert one.model.startswith(f"{checkpoint(name).name}@")
    assert one.usage.completion_tokens > 0
    assert bool(one.tokens) == first.ability.probabilities
    assert sum(token.size for token in one.tokens) in (0, len(one.text.encode()))
    first.close()
    second.close()


@pytest.mark.parametrize("name", QWENS)
def test_image_tokens_are_what_the_processor_makes(name):
    asked = backend(name)
    pad = asked.processor.image_token_id
    for size in ((300, 200), (1000, 30), (57, 1400), (28, 28), (2000, 3000), (20000, 40)):
        width, height = asked.fit(*size)
        inputs = asked.encode([question(asked, size=size)])
        assert int((inputs["input_ids"] == pad).sum()) == asked.image_tokens(width, height)
        grid = inputs["image_grid_thw"][0].tolist()
        assert grid[1] * grid[2] * asked.processor.image_processor.patch_size**2 == width * height


@given(st.sampled_from(sorted(QWEN)), st.integers(1, 9000), st.integers(1, 9000))
def test_a_fitting_size_is_the_one_that_the_family_itself_would_take(name, width, height):
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

    family = QWEN[name]
    fitting = family.fit(width, height)
    assert fitting[0] % family.factor == fitting[1] % family.factor == 0
    assert fitting[0] * fitting[1] <= family.most
    assert family.fit(*fitting) == fitting
    if max(width, height) / min(width, height) < 199:
        theirs = smart_resize(height, width, factor=family.factor, min_pixels=family.least, max_pixels=family.most)
        assert fitting == theirs[::-1]


def test_pixels_bound_what_is_shown():
    asked = backend("qwen2_5_vl", pixels=100_000)
    width, height = asked.fit(2480, 3508)
    assert 50_000 < width * height <= 100_000
    assert width < height


def test_an_image_that_was_not_fitted_is_refused():
    asked = backend("qwen2_5_vl")
    with pytest.raises(UsageError, match="whole squares"):
        asked.ask(Question(images=(picture(301, 200),), text="Read it."))


def test_a_model_of_another_family_is_refused():
    with pytest.raises(EngineError, match="qwen3_vl"):
        _ = load_backend("llava", ModelOptions(model=str(checkpoint("qwen3_vl")))).ability


def test_the_qwen_of_2023_names_its_successor():
    with pytest.raises(EngineError) as caught:
        load_backend("qwen_vl", ModelOptions(model="Qwen/Qwen-VL-Chat"))
    assert "Qwen3-VL" in caught.value.hint


def test_no_model_and_no_such_folder(tmp_path):
    with pytest.raises(UsageError):
        load_backend("qwen_vl", ModelOptions())
    with pytest.raises(EngineError) as caught:
        _ = load_backend("qwen_vl", ModelOptions(model=str(tmp_path / "none"))).ability
    assert str(tmp_path) not in str(caught.value)
    with pytest.raises(EngineError):
        _ = load_backend("qwen_vl", ModelOptions(model="nobody/nothing", offline=True)).ability


def test_half_precision_on_a_cpu_and_a_quantizer_that_is_not_installed_are_refused():
    with pytest.raises(UsageError, match="float16"):
        (asked := backend("qwen2_5_vl", dtype="float16", device="cpu")).ask(question(asked))
    with pytest.raises(MissingError, match="bitsandbytes"):
        (asked := backend("qwen2_5_vl", quantization="int4")).ask(question(asked))


@pytest.mark.parametrize("state", ["absent", "broken"])
def test_without_a_working_torchvision(state, tmp_path):
    """`broken`: installed for another torch, so that importing it fails while its metadata says that it is there."""
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    (tmp_path / "torchvision-0.28.0.dist-info").mkdir()
    (tmp_path / "torchvision-0.28.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: torchvision\nVersion: 0.28.0\n")
    script = (
        "import test_backends as t\n"
        "asked = t.load_backend('qwen_vl', t.ModelOptions(model=sys.argv[1]))\n"
        "print(asked.ask(t.question(asked)).text.encode())"
    )
    path = f"{tmp_path}:{ROOT}:{ROOT / 'tests'}" if state == "broken" else f"{ROOT}:{ROOT / 'tests'}"
    done = subprocess.run(
        [sys.executable, "-c", "import sys\n" + script, str(checkpoint("qwen2_5_vl"))],
        capture_output=True,
        env=environment(PYTHONPATH=path),
        text=True,
        timeout=120,
    )
    asked = backend("qwen2_5_vl")
    assert done.stdout.strip() == str(asked.ask(question(asked)).text.encode()), done.stderr[-2000:]
