"""The same model asked directly, through a server that keeps its word, and through `transformers serve`: what holds for every backend."""

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from api_servers import transformers_serve
from checkpoints import checkpoint
from digits import readings
from digits.pages import Slip
from digits.train import CHECKPOINT
from faces import docpipe as command
from openai_server import make_app, served
from PIL import Image
from test_vlm import Item
from test_vlm_wire import Order

from docpipe.api import Reader
from docpipe.backends import Ability, ApiOptions, Backend, ModelOptions, Question, Reply, Shot, load_backend
from docpipe.backends._probe import probe
from docpipe.errors import AnswerError
from docpipe.extract.vlm.parse import Refused, judge
from docpipe.extract.vlm.prompt import SYSTEM, ask_for
from docpipe.extract.vlm.wire import compile_wire
from docpipe.records import Usage
from docpipe.request import make_request
from docpipe.settings import Settings

pytestmark = [pytest.mark.api, pytest.mark.vlm]

KINDS = ("local", "fastapi", "transformers")
SCHEMA = {
    "type": "object",
    "properties": {"total": {"type": ["string", "null"], "maxLength": 8}, "currency": {"type": "string", "enum": ["EUR", "USD"]}},
    "required": ["total", "currency"],
    "additionalProperties": False,
}


def asking(url, model, **api):
    return load_backend("openai_api", ModelOptions(model=model, seconds=120, api=ApiOptions(url=url, **api)))


@pytest.fixture(scope="module")
def local():
    made = load_backend("qwen_vl", ModelOptions(model=str(checkpoint("qwen2_5_vl"))))
    yield made
    made.close()


@pytest.fixture(scope="module")
def fastapi(local):
    with served(make_app(local, name="tiny")) as url:
        made = asking(url, "tiny")
        yield made
        made.close()


@pytest.fixture(scope="module")
def transformers(tmp_path_factory):
    with transformers_serve(checkpoint("qwen2_5_vl"), tmp_path_factory.mktemp("serve")) as url:
        made = asking(url, str(checkpoint("qwen2_5_vl")), logprobs=False, structured="none")
        yield made
        made.close()


@pytest.fixture(params=KINDS)
def backend(request):
    return request.getfixturevalue(request.param)


def picture(color="white", size=(280, 196)):
    """In whole squares of the model's, so that nobody resizes it."""
    return Image.new("RGB", size, color)


def question(*images, text="Read it.", **more):
    return Question(images=images or (picture(),), text=text, **{"most_tokens": 16, **more})


def test_the_same_question_gets_the_same_answer(backend):
    one, other = backend.ask(question()), backend.ask(question())
    assert (one.text, one.stop) == (other.text, other.stop)
    assert one.text
    assert one.model and "/" not in one.model


def test_an_answer_is_cut_where_it_has_to_be_and_costs_something(backend):
    reply = backend.ask(question(most_tokens=8))
    assert reply.stop == "length"
    assert 0 < reply.usage.completion_tokens <= 8
    assert reply.usage.calls == 1


def test_the_image_is_seen(backend):
    answers = {backend.ask(question(picture(color))).text for color in ("white", "black", "red")}
    assert len(answers) > 1


def test_a_larger_image_and_an_example_make_the_question_longer(backend):
    shot = Shot(images=(picture("red"),), text="Read this.", answer="{}")
    asked = (question(picture(size=(56, 56))), question(), question(shots=(shot,)))
    small, large, with_example = (backend.ask(one).usage.prompt_tokens for one in asked)
    assert 0 < small < large < with_example
    assert large - small == 70 - 4  # squares of 28 pixels


@pytest.mark.parametrize("server", ["fastapi", "transformers"])
def test_what_a_call_takes_is_known_before_it_is_made(server, request):
    """The image's tokens to the last, and the words' as the server has counted the like: within 5 % of what it then says."""
    far = request.getfixturevalue(server)
    options = far.options.model_copy(update={"api": far.options.api.model_copy(update={"square": 28})})

    def about(schema, number, size):
        return question(picture(size=size), text=ask_for(compile_wire(schema), number=number), system=SYSTEM, most_tokens=1)

    with contextlib.closing(load_backend("openai_api", options)) as asked:
        for schema in (Slip, Item, Order):
            asked.ask(about(schema, 1, (280, 196)))
        for one in (about(Slip, 2, (560, 392)), about(Item, 3, (112, 560)), about(Slip, 117, (56, 56)), about(Order, 9, (280, 280))):
            expected, counted = asked.expected(one).prompt_tokens, asked.ask(one).usage.prompt_tokens
            assert abs(expected - counted) <= 0.05 * counted, (expected, counted)


def test_a_schema_is_followed_where_it_is_said_to_be_and_found_out_where_it_is_not(backend):
    reply = backend.ask(question(schema=SCHEMA, most_tokens=60))
    if backend.ability.constrained:
        assert json.loads(reply.text).keys() == {"total", "currency"}
    else:
        assert isinstance(judge(reply, SCHEMA, blank=False), Refused)


def test_tokens_are_those_of_the_text(backend):
    reply = backend.ask(question(schema=SCHEMA, most_tokens=60))
    assert bool(reply.tokens) == backend.ability.probabilities
    assert sum(token.size for token in reply.tokens) in (0, len(reply.text.encode()))
    assert all(0 < token.probability <= 1 for token in reply.tokens)


def test_the_way_through_http_changes_nothing(local, fastapi):
    asked = question(schema=SCHEMA, most_tokens=60)
    direct, through = local.ask(asked), fastapi.ask(asked)
    assert (through.text, through.stop, through.usage) == (direct.text, direct.stop, direct.usage)
    assert [token.size for token in through.tokens] == [token.size for token in direct.tokens]
    assert [token.probability for token in through.tokens] == pytest.approx([token.probability for token in direct.tokens], rel=1e-3)


def test_a_server_that_does_not_stream_says_the_same(local):
    with served(make_app(local, name="tiny")) as url:
        whole, streamed = asking(url, "tiny", extra={"stream": False}), asking(url, "tiny")
        asked = question(schema=SCHEMA, most_tokens=60)
        assert whole.ask(asked) == streamed.ask(asked)


def test_many_ask_at_the_same_time(fastapi):
    texts = [f"Read {'it ' * (at % 4)}" for at in range(16)]
    alone = {text: fastapi.ask(question(text=text)).text for text in set(texts)}
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda text: fastapi.ask(question(text=text)).text, texts))
    assert together == [alone[text] for text in texts]


def test_a_model_that_the_server_does_not_have(fastapi, local):
    with served(make_app(local, name="tiny")) as url, pytest.raises(AnswerError) as caught:
        asking(url, "huge").ask(question())
    assert caught.value.status == 404


def test_what_a_server_really_does_is_found_out(backend, request):
    found = probe(backend)
    assert found.model and not found.problems
    assert found.image_counted is True
    assert found.image_read is False  # random weights
    assert found.page_whole is False  # the checkpoint bounds its images at a part of a page
    well = request.node.callspec.params["backend"] != "transformers"
    assert (found.schema_followed, found.probabilities) == ((True, True) if well else (None, None))


@pytest.mark.parametrize(("most", "whole"), [(10_000_000, True), (700_000, False)])
def test_pages_that_are_shrunk_on_the_way_are_found_out(most, whole):
    class Counting(Backend):
        name = "counting"
        ability = Ability(grade="document")

        def fit(self, width, height):
            return width, height

        def image_tokens(self, width, height):
            return min(width * height, most) // 784

        def ask(self, question):
            tokens = 20 + sum(self.image_tokens(*image.size) for image in question.images)
            return Reply(text="", stop="end", model="m", usage=Usage(calls=1, prompt_tokens=tokens))

    found = probe(Counting(ModelOptions()))
    assert found.page_whole is whole
    assert any("shrunk" in said for said in found.advice) is not whole


def test_wishes_that_are_ignored_are_found_out(transformers):
    url = transformers.options.api.url
    hopeful = asking(url, transformers.options.model)
    found = probe(hopeful)
    assert hopeful.ability.constrained and hopeful.ability.probabilities
    assert (found.schema_followed, found.probabilities) == (False, False)
    assert "STRUCTURED=none" in " ".join(found.advice) and "LOGPROBS=false" in " ".join(found.advice)
    hopeful.close()


def test_what_cannot_be_asked_is_said():
    found = probe(asking("http://127.0.0.1:9/v1", "m"))
    assert (found.model, found.image_read, found.schema_followed) == (None, None, None)
    assert len(found.problems) == 1 and "no connection" in found.problems[0]


def test_a_model_that_reads_does_so_through_a_server(tmp_path):
    """From a page's pixels through JPEG and HTTP to a value with its place."""
    trained = load_backend("qwen_vl", readings.MODEL)
    with served(make_app(trained, name=CHECKPOINT.name)) as url:
        model = ModelOptions(model=CHECKPOINT.name, api=ApiOptions(url=url, jpeg_quality=95))
        reader = Reader(Slip, make_request(Settings(backend="openai_api", model=model), engines=("vlm",)))
        reads = readings.read(reader, readings.pages(10), tmp_path)
    trained.close()
    assert sum(one.right and one.boxed for one in reads) >= 8
    assert {one.status for one in reads} <= {"review", "failed"}


def test_the_doctor_says_what_a_server_really_does(fastapi, transformers, monkeypatch):
    """Of the tests' server everything is true but that a random model reads; the other ignores schemas."""
    for server, schema in ((fastapi, "yes"), (transformers, "no")):
        for name, value in {"MODEL": server.options.model, "API__URL": server.options.api.url}.items():
            monkeypatch.setenv(f"DOCPIPE_MODEL__{name}", value)
        monkeypatch.setenv("DOCPIPE_MODEL__SECONDS", "120")
        done = command("doctor", "--backend", "openai_api", "--json")
        (found,) = [line for line in map(json.loads, done.stdout.splitlines()) if line["part"] == "model"]
        assert f"schema followed: {schema}" in found["said"] and "image shown: yes" in found["said"] and "print read: no" in found["said"]
        assert not found["well"] and "does not read print" in found["hint"] and done.returncode == 30
    monkeypatch.setenv("DOCPIPE_MODEL__API__URL", "")
    (found,) = [
        line
        for line in map(json.loads, command("doctor", "--backend", "openai_api", "--json").stdout.splitlines())
        if line["part"] == "model"
    ]
    assert "no server is named" in found["said"]
