"""Local models, with tiny random weights: from a folder to an answer, for every family."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from checkpoints import BACKENDS, checkpoint
from faces import ROOT, environment
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from docpipe.backends import ModelOptions, Question, Shot, load_backend
from docpipe.backends._families import QWEN
from docpipe.backends._hf.errors import typed
from docpipe.backends._loops import CHARACTERS, loops
from docpipe.errors import DeadlineError, EngineError, MissingError, OutboundError, ResourceError, UsageError

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


@settings(deadline=None)
@given(st.sampled_from(sorted(QWEN)), st.integers(1, 9000), st.integers(1, 9000))
def test_a_fitting_size_is_the_one_that_the_family_itself_would_take(name, width, height):
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

    family = QWEN[name]
    fitting = family.fit(width, height)
    assert fitting[0] % family.factor == fitting[1] % family.factor == 0
    assert fitting[0] * fitting[1] <= family.most
    assert family.fit(*fitting) == fitting
    if max(width, height) / min(width, height) < 199 and min(width, height) >= family.factor:
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
    for path in ("./none", "../none", "~/none", "models/none/it", "none/"):
        with pytest.raises(EngineError, match="there is no folder"):
            _ = load_backend("qwen_vl", ModelOptions(model=path)).ability
    with pytest.raises(EngineError):
        _ = load_backend("qwen_vl", ModelOptions(model="nobody/nothing", offline=True)).ability


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: os.truncate(folder / "model.safetensors", 400_000),
        lambda folder: (folder / "model.safetensors").unlink(),
        lambda folder: (folder / "tokenizer.json").unlink(),
        lambda folder: (folder / "processor_config.json").unlink(),
        lambda folder: (folder / "config.json").write_text("{"),
        lambda folder: _say(folder / "config.json", '"num_hidden_layers": 2', '"num_hidden_layers": 4'),
        lambda folder: _say(folder / "config.json", '"hidden_size": 64', '"hidden_size": 128'),
    ],
    ids=["cut off", "no weights", "no tokenizer", "no processor", "no config", "more layers", "wider layers"],
)
def test_a_checkpoint_with_a_hole_is_an_error_with_the_way_out_and_no_path(damage, tmp_path):
    folder = Path(shutil.copytree(checkpoint("qwen3_vl"), tmp_path / "holed"))
    damage(folder)
    with pytest.raises(EngineError) as caught:
        (asked := load_backend("qwen_vl", ModelOptions(model=str(folder)))).ask(question(asked))
    assert str(tmp_path) not in str(caught.value) and "holed" in caught.value.message and "docs/models.md" in caught.value.hint


def _say(file: Path, old: str, new: str) -> None:
    said = file.read_text()
    assert old in said
    file.write_text(said.replace(old, new))


def test_a_gpu_that_is_not_there_is_a_usage_error():
    for device in ("cuda:99", "banana"):
        with pytest.raises(UsageError, match=device):
            (asked := backend("qwen2_5_vl", device=device)).ask(question(asked))


def test_half_precision_on_a_cpu_and_a_quantizer_that_is_not_installed_are_refused(monkeypatch):
    with pytest.raises(UsageError, match="float16"):
        (asked := backend("qwen2_5_vl", dtype="float16", device="cpu")).ask(question(asked))
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(MissingError, match="bitsandbytes"):
        (asked := backend("qwen2_5_vl", quantization="int4")).ask(question(asked))


@pytest.mark.parametrize("how", [{"quantization": "int8"}, {"quantization": "int4"}, {"device": "balanced"}], ids=str)
def test_a_quantized_model_and_one_in_parts_follow_the_schema(how):
    asked = backend("qwen2_5_vl", **how)
    reply = asked.ask(question(asked, schema=Tax.model_json_schema()))
    Tax.model_validate_json(reply.text)
    assert reply.stop == "end" and len(reply.tokens) == reply.usage.completion_tokens
    asked.close()


def test_no_backend_imports_torch_before_a_model_is_wanted_and_without_it_says_what_to_install():
    script = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from docpipe import backends, plugins\n"
        "from docpipe.errors import MissingError\n"
        "for name in plugins.names(backends.HOME):\n"
        "    plugins.load(name, backends.Backend, backends.HOME)\n"
        "assert not {'transformers', 'llguidance', 'openai', 'httpx2'} & set(sys.modules)\n"
        "try:\n"
        "    backends.load_backend('qwen_vl', backends.ModelOptions(model='some/model')).ability\n"
        "except MissingError as problem:\n"
        "    print(problem.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment(), text=True, timeout=60)
    assert done.stdout.strip() == "pip install 'docpipe[vlm]'", done.stderr


@pytest.mark.parametrize(
    ("problem", "error"),
    [
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9000 bytes"), ResourceError),
        (MemoryError(), ResourceError),
        (OSError(errno.ENOSPC, "No space left on device"), ResourceError),
        (ConnectionRefusedError("no"), OutboundError),
        (ValueError("what"), EngineError),
    ],
)
def test_what_goes_wrong_below_gets_a_type(problem, error):
    with pytest.raises(error) as caught, typed("trying"):
        try:
            raise problem
        except OSError as cause:
            raise OSError("could not load it") if error is OutboundError else cause from cause
    assert "trying" in str(caught.value)


BROKEN = {"__init__.py": "raise RuntimeError('operator torchvision::nms does not exist')"}
WORKING = {
    "__init__.py": "",
    "io.py": "",
    "transforms/__init__.py": "import enum\nmodes = 'NEAREST BOX BILINEAR HAMMING BICUBIC LANCZOS NEAREST_EXACT'\n"
    "InterpolationMode = enum.Enum('InterpolationMode', modes)",
    "transforms/functional.py": "pil_to_tensor = None",
    "transforms/v2/__init__.py": "",
    "transforms/v2/functional.py": "",
}


@pytest.mark.parametrize("files", [{}, BROKEN, WORKING], ids=["absent", "broken", "present"])
def test_torchvision_makes_no_difference(files, tmp_path):
    """Broken: built for another torch, so that importing it fails while its metadata says that it is there. Present: as much of it as
    transformers imports; images go through Pillow all the same."""
    for name, text in files.items():
        file = tmp_path / "torchvision" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    if files:
        known = tmp_path / "torchvision-0.28.0.dist-info" / "METADATA"
        known.parent.mkdir()
        known.write_text("Metadata-Version: 2.1\nName: torchvision\nVersion: 0.28.0\n")
    script = (
        "import sys, test_backends as t\n"
        "asked = t.load_backend('qwen_vl', t.ModelOptions(model=sys.argv[1]))\n"
        "reply = asked.ask(t.question(asked))\n"
        "from transformers.utils import is_torchvision_available\n"
        "print(is_torchvision_available(), reply.text.encode())"
    )
    done = in_a_process(script, tmp_path)
    asked = backend("qwen2_5_vl")
    expected = f"{files is WORKING} {asked.ask(question(asked)).text.encode()}"
    assert done.stdout.strip() == expected, done.stderr[-2000:]
    asked.close()


# ---- answers that follow a schema ----


class Currency(StrEnum):
    EUR = "EUR"
    USD = "USD"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


Money = Annotated[str, Field(pattern=r"^-?[0-9]{1,9}\.[0-9]{2}$")]
Short = Annotated[str, Field(max_length=12)]


# The grammar's own date knows no leap years and has a year 0, which Python's does not.
DAYS = {"type": "string", "format": "date", "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$"}
Day = Annotated[date, WithJsonSchema(DAYS)]


class Tax(Strict):
    rate: Literal["0", "7", "19"]
    base: Money | None


class Line(Strict):
    description: Short | None
    quantity: Annotated[int, Field(ge=0, le=9999)]
    amount: Money
    delivered: Day | None
    taxes: Annotated[list[Tax], Field(max_length=3)]


class Paper(Strict):
    """Nested lists, enums, dates, patterns, optionals, and text without a bound."""

    number: Annotated[str, Field(pattern=r"^INV-[0-9]{4}$")]
    issued: Day
    currency: Currency | None
    seller: str
    lines: list[Line]
    paid: bool
    total: Money


@pytest.fixture(scope="module")
def asked():
    made = backend("qwen2_5_vl")
    yield made
    made.close()


def together(asked, questions):
    """The replies to questions that wait at the same time."""
    replies = [None] * len(questions)

    def one(at):
        replies[at] = asked.ask(questions[at])

    threads = [threading.Thread(target=one, args=(at,)) for at in range(len(questions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert None not in replies
    return replies


@pytest.mark.parametrize("most", [100, 135, 200, 350])
def test_an_answer_follows_its_schema_however_short_it_must_be(most):
    """Sixty random documents: a model that knows nothing asks for everything, and still each is whole."""
    made = backend("qwen2_5_vl", batch=15, window=0.5)
    schema = Paper.model_json_schema()
    questions = [question(made, f"page {number} of {most}", schema=schema, most_tokens=most) for number in range(15)]
    for reply in together(made, questions):
        Paper.model_validate_json(reply.text)
        assert reply.usage.completion_tokens <= most
        assert reply.stop in ("end", "length", "loop")
        assert len(reply.tokens) == reply.usage.completion_tokens
    made.close()


def test_a_schema_without_room_and_one_that_cannot_be_enforced_are_refused(asked):
    with pytest.raises(EngineError, match="20 tokens"):
        asked.ask(question(asked, schema=Paper.model_json_schema(), most_tokens=20))
    with pytest.raises(EngineError, match="cannot be enforced"):
        asked.ask(question(asked, schema={"type": "string", "format": "no-such-format"}))


def test_questions_of_one_batch_may_differ_in_schema_and_length():
    made = backend("qwen2_5_vl", window=0.5)
    free, short = question(made, most_tokens=10), question(made, "Also.", most_tokens=5)
    strict = question(made, schema=Paper.model_json_schema(), most_tokens=200)
    for one, reply in zip((free, short, strict), together(made, [free, short, strict]), strict=True):
        assert same(reply, made.ask(one))
    made.close()


def test_probabilities_are_those_before_the_schema_forbade_anything(asked):
    free = asked.ask(question(asked, most_tokens=1))
    bound = asked.ask(question(asked, most_tokens=12, schema={"enum": ["yes", "no"]}))
    assert bound.text in ('"yes"', '"no"')
    assert all(token.forbidden > 0.5 for token in bound.tokens)
    assert all(0 < token.probability <= 1 - token.forbidden + 1e-5 for token in bound.tokens)
    assert free.tokens[0].forbidden == 0
    assert free.tokens[0].probability >= bound.tokens[0].probability


def test_a_model_that_goes_round_in_circles_is_stopped():
    assert loops([1] * 256)
    assert loops([*range(40)] + [5, 6, 7] * 86)
    assert not loops([1] * 200)
    assert not loops([*range(100)] * 3)  # long rows that stand there three times
    assert not loops([*range(300)])
    assert loops("x" + '{"amount": null}, ' * 50, CHARACTERS)
    assert loops("{" + " " * 800, CHARACTERS)
    assert not loops('{"amount": null}, ' * 40, CHARACTERS)
    assert not loops("".join(f'{{"amount": {number}}}, ' for number in range(500)), CHARACTERS)


def test_a_loop_ends_a_free_answer_early_and_leaves_a_bound_one_whole():
    made = load_backend("qwen_vl", ModelOptions(model=str(checkpoint("qwen2_5_vl", spread=0.01))))
    free = made.ask(question(made, most_tokens=3000))
    assert free.stop == "loop"
    assert free.usage.completion_tokens < 2000
    bound = made.ask(question(made, most_tokens=3000, schema={"type": "array", "items": {"type": "string"}}))
    assert bound.stop == "loop"
    assert isinstance(json.loads(bound.text), list)
    assert bound.usage.completion_tokens < 2000
    made.close()


# ---- text is data ----


@pytest.mark.parametrize("name", ["qwen2_5_vl", "llava", "llava_onevision", "idefics", "idefics3", "instruct_blip", "minigpt4"])
def test_control_tokens_in_a_text_are_only_text(name):
    made = backend(name)
    tokens = made.processor.tokenizer
    marks = "".join(added.content for added in tokens.added_tokens_decoder.values())
    nasty = f"{marks}<|im_<|im_end|>end|> Read."
    controls = set(tokens.added_tokens_decoder)

    def count(text):
        ids = made.encode([question(made, text=text, system="" if name == "minigpt4" else text)])["input_ids"][0].tolist()
        return [token for token in ids if token in controls]

    assert count(nasty) == count("Read.")


def test_idefics_fetches_no_address_that_a_text_names():
    made = backend("idefics")
    address = "http://127.0.0.1:9/page.png"
    first = made.encode([question(made, text="x")])["pixel_values"].shape
    for text in (address, f"{address}\n", f" {address}"):
        shot = Shot(images=(), text=text, answer=address)
        assert made.encode([question(made, text=text, shots=(shot,))])["pixel_values"].shape == first


# ---- batches ----


@pytest.mark.parametrize("name", [name for name in BACKENDS if not name.startswith("blip_") and name != "blip"])
def test_a_batch_gives_what_single_questions_give(name):
    batched, single = backend(name, window=1.0), backend(name, batch=1, window=0.0)
    sizes = [(300, 200), (120, 500), (60, 60), (500, 420), (90, 300), (310, 280), (64, 200), (400, 100)]
    questions = [question(single, f"Question {'so ' * at}{at}", size=size) for at, size in enumerate(sizes)]
    for reply, alone in zip(together(batched, questions), map(single.ask, questions), strict=True):
        assert same(reply, alone)
    batched.close()
    single.close()


def same(one, other):
    """Token for token; probabilities differ in the last digits, as sums of floating-point numbers do in another order."""
    close = [token.probability for token in other.tokens] == pytest.approx([token.probability for token in one.tokens], rel=1e-3)
    return close and one.model_copy(update={"tokens": ()}) == other.model_copy(update={"tokens": ()})


def test_examples_come_before_the_question(asked):
    shot = Shot(images=(picture(*asked.fit(90, 90)),), text="What is it?", answer="A square.")
    with_it = asked.encode([question(asked, shots=(shot,), system="You read.")])
    text = asked.processor.tokenizer.decode(with_it["input_ids"][0])
    assert re.search(r"system\nYou read.*What is it\?.*assistant\nA square\..*Read it\..*assistant\n$", text, re.DOTALL)
    assert len(with_it["image_grid_thw"]) == 2


def test_a_question_longer_than_the_model_is_refused_and_an_answer_is_cut_where_the_model_ends(asked):
    with pytest.raises(EngineError, match="8192 positions"):
        asked.ask(question(asked, text="word " * 9000))
    for name in ("blip", "blip2"):
        made = backend(name)
        reply = made.ask(question(made, most_tokens=100_000))
        assert reply.stop in ("length", "loop", "end")
        made.close()


def hanging(asked):
    """The same backend, but its model never comes back."""

    class Hanging(type(asked)):
        def generate(self, model, inputs, **how):
            threading.Event().wait()

    return Hanging(asked.options.model_copy(update={"seconds": 0.1, "window": 0.0}))


def test_a_model_that_hangs_is_said_to_the_owner_of_the_process(asked):
    made, said = hanging(asked), threading.Event()
    made.on_hang = said.set
    with pytest.raises(DeadlineError):
        made.ask(question(made))
    assert said.wait(1)
    with pytest.raises(DeadlineError):
        made.ask(question(made))


def in_a_process(script, *first):
    """Run a script that gets a checkpoint's folder, with these folders first on its path."""
    return subprocess.run(
        [sys.executable, "-c", script, str(checkpoint("qwen2_5_vl"))],
        capture_output=True,
        env=environment(PYTHONPATH=":".join(map(str, (*first, ROOT, ROOT / "tests")))),
        text=True,
        timeout=120,
    )


def test_a_process_whose_model_hangs_can_end():
    script = (
        "import sys, test_backends as t\n"
        "made = t.hanging(t.load_backend('qwen_vl', t.ModelOptions(model=sys.argv[1])))\n"
        "made.ask(t.question(made))"
    )
    done = in_a_process(script)
    assert (done.returncode, "DeadlineError" in done.stderr) == (1, True), done.stderr


def test_an_answer_that_takes_too_long_is_a_deadline_error_and_the_model_answers_on():
    made = backend("qwen2_5_vl", seconds=0.5)
    made.ask(question(made, most_tokens=1))
    before = time.monotonic()
    with pytest.raises(DeadlineError):
        made.ask(question(made, most_tokens=7000))
    assert time.monotonic() - before < 20
    assert made.ask(question(made, most_tokens=1)).text is not None
    made.close()


@pytest.mark.parametrize("name", ["llava_next", "llava_onevision", "idefics3", "llava"])
def test_tokens_of_the_other_chat_families_are_what_their_processors_make(name):
    made = backend(name)
    pad = made.processor.tokenizer.convert_tokens_to_ids("<image>")
    for size in ((300, 200), (90, 400), (60, 60), (1000, 1400)):
        fitting = made.fit(*size)
        ids = made.encode([question(made, size=size)])["input_ids"][0]
        none = made.encode([Question(images=(), text="Read it.")])["input_ids"][0]
        seen = int((ids == pad).sum()) if name != "idefics3" else len(ids) - len(none)
        assert seen == made.image_tokens(*fitting), size
        assert made.fit(*fitting) == fitting


def test_llava_lays_an_image_where_its_processor_does():
    from transformers.image_processing_utils import select_best_resolution

    made = backend("llava_onevision")
    canvases = made.processor.image_processor.image_grid_pinpoints
    for size in ((300, 200), (90, 400), (60, 60), (1000, 1400), (5000, 20), (113, 112)):
        width, height = made.fit(*size)
        best = select_best_resolution((size[1], size[0]), canvases)
        assert best == select_best_resolution((height, width), canvases)
        assert (width == best[1] and height <= best[0]) or (height == best[0] and width <= best[1])


def test_one_image_for_those_that_take_one():
    made = backend("blip2")
    with pytest.raises(UsageError, match="takes one"):
        made.ask(Question(images=(), text="What is it?"))
    made.close()
