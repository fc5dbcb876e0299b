"""Answers that were paid for once: found again only where everything is the same."""

import os
import threading
from dataclasses import replace

import pytest
from PIL import Image

from docpipe.backends import Question, Reply, Shot, Token
from docpipe.backends._api.answers import Answers, answer_key
from docpipe.records import Usage

pytestmark = pytest.mark.api

WHITE, GRAY = Image.new("RGB", (20, 10), "white"), Image.new("RGB", (20, 10), "gray")
QUESTION = Question(images=(WHITE,), text="Read it.", system="You read.", shots=(Shot((GRAY,), "What?", "{}"),), schema={"a": 1, "b": 2})
REPLY = Reply(text="{}", stop="end", model="m@1", usage=Usage(calls=1, prompt_tokens=9, cost_usd=0.5), tokens=(Token(2, 0.9),))


def key(question=QUESTION, **more):
    return answer_key(question, **{"model": "m", "revision": "1", "parameters": {"temperature": 0}, "tenant": "t", **more})


@pytest.mark.parametrize(
    "other",
    (
        {"question": replace(QUESTION, images=(GRAY,))},
        {"question": replace(QUESTION, images=(Image.new("RGB", (10, 20), "white"),))},
        {"question": replace(QUESTION, images=(WHITE, WHITE))},
        {"question": replace(QUESTION, text="Read it")},
        {"question": replace(QUESTION, text="You read.", system="Read it.")},
        {"question": replace(QUESTION, shots=())},
        {"question": replace(QUESTION, shots=(Shot((WHITE,), "What?", "{}"),))},
        {"question": replace(QUESTION, schema=None)},
        {"question": replace(QUESTION, schema={"b": 2, "a": 1})},
        {"question": replace(QUESTION, most_tokens=7)},
        {"model": "m2"},
        {"revision": None},
        {"parameters": {"temperature": 1}},
        {"tenant": "u"},
    ),
)
def test_whatever_can_change_an_answer_changes_its_key(other):
    assert key() == key(replace(QUESTION, images=(WHITE.copy(),))) != key(**other)


def test_an_answer_is_found_again_for_nothing(tmp_path):
    answers = Answers(tmp_path / "answers")
    assert answers.get(key(), tenant="t") is None
    answers.put(key(), REPLY, tenant="t")
    assert Answers(tmp_path / "answers").get(key(), tenant="t") == REPLY.model_copy(update={"usage": Usage()})
    assert answers.get(key(), tenant="u") is None


@pytest.mark.parametrize("stop", ("length", "loop", "refusal"))
def test_only_an_answer_that_ended_is_kept(stop, tmp_path):
    answers = Answers(tmp_path)
    answers.put(key(), REPLY.model_copy(update={"stop": stop}), tenant="t")
    assert answers.get(key(), tenant="t") is None


@pytest.mark.parametrize("damage", (b"", b"{", b'{"text": "{}"}', b"\xff\xfe"))
def test_a_damaged_answer_is_none_and_is_replaced(damage, tmp_path, caplog):
    answers = Answers(tmp_path)
    answers.put(key(), REPLY, tenant="t")
    (file,) = tmp_path.glob("*/*/*.json")
    assert file.stat().st_mode & 0o777 == 0o600 and file.parent.parent.stat().st_mode & 0o077 == 0
    file.write_bytes(damage)
    assert answers.get(key(), tenant="t") is None and "cannot be read" in caplog.text
    answers.put(key(), REPLY, tenant="t")
    assert answers.get(key(), tenant="t") is not None


def test_a_folder_that_cannot_be_written_costs_no_answer(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    Answers(tmp_path / "file").put(key(), REPLY, tenant="t")
    assert "not kept" in caplog.text


def test_the_longest_unread_go_first(tmp_path):
    size = len(REPLY.model_dump_json())
    answers = Answers(tmp_path, most=20 * size)
    names = [f"{number:064x}" for number in range(60)]
    for number, name in enumerate(names):
        answers.put(name, REPLY, tenant="t")
        os.utime(next(tmp_path.glob(f"*/*/{name}.json")), (number, number))
        if number > 10:
            assert answers.get(names[5], tenant="t") is not None, "what is read stays"
    left = sum(file.stat().st_size for file in tmp_path.glob("*/*/*"))
    assert 10 * size < left <= 21 * size
    assert answers.get(names[-1], tenant="t") is not None and answers.get(names[0], tenant="t") is None


def test_a_tenant_can_be_forgotten(tmp_path):
    answers = Answers(tmp_path)
    for tenant in ("t", "../u"):
        answers.put(key(tenant=tenant), REPLY, tenant=tenant)
    answers.forget(tenant="t")
    answers.forget(tenant="t")
    assert answers.get(key(), tenant="t") is None
    assert answers.get(key(tenant="../u"), tenant="../u") is not None
    assert len(list(tmp_path.iterdir())) == 1


def test_many_write_the_same_answer_side_by_side(tmp_path):
    answers = Answers(tmp_path, most=5000)
    seen = []

    def work(number):
        for turn in range(50):
            answers.put(f"{(number + turn) % 9:064x}", REPLY, tenant="t")
            seen.append(answers.get(f"{turn % 9:064x}", tenant="t"))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert {reply and reply.text for reply in seen} <= {"{}", None} and any(seen)
    assert not [file for file in tmp_path.glob("*/*/.*")]
