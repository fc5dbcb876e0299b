"""The thread that owns a model: batches, what fails alone, memory that runs out, a model that hangs. No model here: a function answers."""

import threading
import time

import pytest

from docpipe.backends import Question, Reply
from docpipe.backends._hf.engine import Engine
from docpipe.errors import DeadlineError, EngineError, MissingError, ResourceError
from docpipe.records import Usage


def reply(question):
    return Reply(text=question.text, stop="end", model="m", usage=Usage(calls=1))


class Recorder:
    """Answers with the question; `fail` may raise for a batch."""

    def __init__(self, fail=lambda questions: None):
        self.batches = []
        self.loads = 0
        self.fail = fail

    def load(self):
        self.loads += 1
        return self.answer

    def answer(self, questions):
        self.batches.append([question.text for question in questions])
        self.fail(questions)
        return [reply(question) for question in questions]


def engine(recorder, *, batch=4, window=0.3, seconds=20.0, hang=lambda: None, **more):
    more.setdefault("grace", 0.0)
    return Engine(recorder.load, weigh=lambda one: len(one.text), batch=batch, window=window, seconds=seconds, hang=hang, **more)


def ask_all(asked, texts):
    """Each text from a thread of its own -> text: the reply's text, or the error."""
    found = {}

    def one(text):
        try:
            found[text] = asked.ask(Question(images=(), text=text)).text
        except Exception as problem:
            found[text] = problem

    threads = [threading.Thread(target=one, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    return found


def test_questions_of_several_threads_share_batches_of_like_length():
    others_wait = threading.Event()
    recorder = Recorder(lambda questions: questions[0].text == "first" and others_wait.wait(20))
    asked = engine(recorder, batch=3, window=0.0)
    texts = ["a" * 50, "b", "c" * 49, "dd", "e" * 51, "fff"]
    threads = [threading.Thread(target=asked.ask, args=(Question(images=(), text=text),)) for text in ("first", *texts)]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    others_wait.set()
    for thread in threads:
        thread.join(20)
    asked.close()
    assert recorder.loads == 1
    assert recorder.batches == [["first"], ["b", "dd", "fff"], ["c" * 49, "a" * 50, "e" * 51]]


def test_a_question_that_breaks_its_batch_fails_alone():
    def fail(questions):
        if any(question.text == "bad" for question in questions):
            raise EngineError("this one")

    asked = engine(Recorder(fail), batch=8)
    found = ask_all(asked, ["a", "b", "bad", "c", "d"])
    asked.close()
    assert isinstance(found.pop("bad"), EngineError)
    assert found == {text: text for text in "abcd"}


def test_where_memory_runs_out_batches_are_halved_and_stay_small():
    def fail(questions):
        if len(questions) > 2:
            raise MemoryError

    recorder = Recorder(fail)
    asked = engine(recorder, batch=8)
    texts = [f"{number}" for number in range(8)]
    assert ask_all(asked, texts) == {text: text for text in texts}
    recorder.batches.clear()
    assert ask_all(asked, texts) == {text: text for text in texts}
    asked.close()
    assert max(map(len, recorder.batches)) == 2


def test_memory_that_runs_out_for_one_question_is_its_error_and_keeps_nothing_alive():
    def fail(questions):
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

    asked = engine(Recorder(fail))
    with pytest.raises(ResourceError) as caught:
        asked.ask(Question(images=(), text="a"))
    asked.close()
    assert caught.value.__cause__ is None and caught.value.__context__ is None


def test_a_model_that_cannot_be_loaded_fails_for_all_and_is_tried_again():
    class Missing(Recorder):
        def load(self):
            super().load()
            if self.loads == 1:
                raise MissingError("no weights")
            return self.answer

    recorder = Missing()
    asked = engine(recorder)
    assert all(isinstance(problem, MissingError) for problem in ask_all(asked, ["a", "b", "c"]).values())
    assert recorder.loads == 1
    assert asked.ask(Question(images=(), text="d")).text == "d"
    asked.close()


def test_a_model_that_hangs_is_given_up_for_all_and_said_once():
    let_go = threading.Event()
    hung = []
    asked = engine(
        Recorder(lambda questions: let_go.wait(30)), batch=2, window=0.05, seconds=0.2, grace=0.2, hang=lambda: hung.append(True)
    )
    before = time.monotonic()
    found = ask_all(asked, ["a", "b", "c", "d"])  # two inside, two still waiting
    assert time.monotonic() - before < 5
    assert all(isinstance(problem, DeadlineError) for problem in found.values())
    with pytest.raises(DeadlineError):
        asked.ask(Question(images=(), text="later"))
    assert hung == [True]
    let_go.set()


def test_a_model_that_never_loads_is_given_up_and_one_that_takes_its_time_says_so(caplog):
    let_go, hung = threading.Event(), []

    class Slow(Recorder):
        def load(self):
            let_go.wait(30)
            return super().load()

    slow = engine(Slow(), hang=lambda: hung.append(True), loading=1.0, grace=0.2, news=0.3)
    with caplog.at_level("INFO", "docpipe.progress"):
        found = ask_all(slow, ["a", "b"])
    assert {str(problem.message) for problem in found.values()} == {"the model did not load within 1 s and cannot be stopped"}
    assert hung == [True]
    assert any("still loading" in record.message for record in caplog.records)
    let_go.set()


def test_it_answers_again_after_it_was_closed():
    recorder = Recorder()
    asked = engine(recorder, window=0.0)
    for _ in range(3):
        assert asked.ask(Question(images=(), text="a")).text == "a"
        asked.close()
    assert recorder.loads == 3


def test_an_answer_of_the_wrong_length_is_an_error_and_nobody_waits_for_ever():
    """Nothing that a backend gives back ends the thread while questions wait."""
    recorder = Recorder()
    recorder.answer = lambda questions: [reply(question) for question in questions if question.text != "lost"]
    asked = engine(recorder, batch=1)
    found = ask_all(asked, ["lost"])
    assert isinstance(found["lost"], EngineError)
    assert ask_all(asked, ["a"]) == {"a": "a"}, "the next question begins another thread"
