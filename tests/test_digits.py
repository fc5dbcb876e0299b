"""A model that really reads, through the whole pipeline: what stands in the pixels comes out as JSON, with its place and its doubts."""

import random

import pytest
from digits import readings
from digits.pages import draw
from digits.train import answer, question, train

from docpipe.backends import ModelOptions, load_backend

pytestmark = pytest.mark.vlm


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """60 clean pages and 30 blurred ones, read by the model alone."""
    reader, folder = readings.reader("vlm"), tmp_path_factory.mktemp("alone")
    clean, blurred = readings.pages(60), readings.pages(30, blurred=True)
    return readings.read(reader, clean, folder), readings.read(reader, blurred, folder)


def test_it_reads_numbers_that_it_has_never_seen(alone):
    clean, _ = alone
    assert readings.share(one.right for one in clean) >= 0.95


def test_what_is_right_is_found_where_it_stands(alone):
    right = [one for reads in alone for one in reads if one.right]
    assert readings.share(one.boxed for one in right) >= 0.95


def test_it_is_surer_where_it_is_right(alone):
    clean, blurred = alone
    assert not all(one.right for one in blurred), "nothing to tell apart"
    assert readings.separation((one.confidence, one.right) for one in [*clean, *blurred]) >= 0.8


def test_a_model_alone_is_never_accepted(alone):
    assert {one.status for reads in alone for one in reads} <= {"review", "failed"}


def test_with_a_second_reading_what_is_right_is_accepted_and_nothing_else(tmp_path):
    reads = readings.read(readings.reader("labels", "vlm"), [*readings.pages(15), *readings.pages(30, blurred=True)], tmp_path)
    accepted = [one for one in reads if one.status == "accepted"]
    assert len(accepted) >= 12 and all(one.right for one in accepted)


def test_the_answer_comes_from_the_page_that_is_shown():
    backend = load_backend("qwen_vl", readings.MODEL)
    pages = [draw(random.Random(seed)) for seed in range(4)]
    answers = [backend.ask(question(page.image.convert("RGB"))).text for page in pages]
    assert answers == [answer(page.number) for page in pages]


def test_it_was_trained_with_the_question_that_the_engine_asks():
    """Each of the question's lines is one token of its own; after a change of the words: python -m digits.train."""
    backend = load_backend("qwen_vl", readings.MODEL)
    asked = question(draw(random.Random(1)).image.convert("RGB"))
    tokens = backend.processor.tokenizer
    for line in filter(None, f"{asked.system}\n{asked.text}".splitlines()):
        assert len(tokens(line)["input_ids"]) == 1, line


def test_its_training_learns(tmp_path):
    losses = train(tmp_path, rounds=(12, 1))
    assert losses[12] < 0.9 * losses[0], "the second round goes on with what the first has learned"
    trained = load_backend("qwen_vl", ModelOptions(model=str(tmp_path), offline=True))
    assert trained.ask(question(draw(random.Random(1)).image.convert("RGB"))).text.startswith('{"number":')
