"""Questions in a provider's batches: sent once, answered once, whatever fails and whenever somebody is killed."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from batch_server import NUMBER, BatchServer, completion, failure
from faces import command, docpipe, environment, last_line, plugins, reading_options
from PIL import Image
from test_vlm import draw
from test_vlm_queue import SLIP

from docpipe.backends import ApiOptions, ModelOptions, Question, load_backend
from docpipe.backends._api.batches import OpenAiBatches
from docpipe.errors import AnswerError, BusyError, DocpipeError, EngineError, UsageError
from docpipe.records import Account

pytestmark = pytest.mark.api
KEY = "sk-no-one-may-see-this"
PICTURE = Image.new("RGB", (64, 64), "white")


def always(text: str, before: int) -> tuple[int, dict[str, Any]]:
    return completion(f"answer to {text[-6:]}")


class Desk:
    """Those who ask and the one who sends, in this process."""

    def __init__(self, folder: Path, server: BatchServer, *, batches: dict[str, Any] | None = None, **api: Any) -> None:
        self.options = ModelOptions(
            model="gpt-4.1", seconds=10, api=ApiOptions(url=server.url, key=KEY, dialect="openai", **api), spool=folder / "spool"
        )
        self.backend = load_backend("openai_api", self.options)
        self.more = batches or {}
        self.batches = OpenAiBatches(self.options, **self.more)

    def again(self) -> None:
        """Another process, after this one was killed."""
        self.batches.close()
        self.batches = OpenAiBatches(self.options, **self.more)

    def ask(self, number: int, job: str = "") -> Any:
        """The reply, the error, or None as long as it is waited for."""
        question = Question(
            images=(PICTURE,), text=f"page {number:04}-B", system="Read.", account=Account(job=job, tenant="t"), most_tokens=100
        )
        try:
            return self.backend.ask(question)
        except BusyError as problem:
            assert problem.after > 3600
            return None
        except DocpipeError as problem:
            return problem

    def ask_all(self, count: int) -> dict[int, Any]:
        return {number: found for number in range(count) if (found := self.ask(number)) is not None}

    def settle(self, count: int, *, looks: int = 60) -> dict[int, Any]:
        """Ask and look until everybody has an answer."""
        for _ in range(looks):
            found = self.ask_all(count)
            if len(found) == count:
                return found
            self.batches.look(idle=True)
        raise AssertionError(f"{len(found)} of {count}: {self.batches.state}")


@pytest.fixture
def server():
    with BatchServer(always) as made:
        yield made


def is_answer(found: Any, number: int) -> bool:
    return not isinstance(found, DocpipeError) and found.text == f"answer to {number:04}-B"


# ---- what goes well --------------------------------------------------------------------------------------------------


def test_questions_are_sent_together_and_answered_once_at_half_the_price(tmp_path, server):
    desk = Desk(tmp_path, server)
    assert desk.ask_all(10) == {} == desk.ask_all(10)
    assert not desk.batches.look(idle=False) and server.requests == [], "nobody sends part of a batch while more may come"
    found = desk.settle(10)
    assert all(is_answer(reply, number) for number, reply in found.items())
    assert len(server.batches) == 1 and set(server.submitted.values()) == set(server.paid.values()) == {1}
    usage = found[3].usage
    assert (usage.calls, usage.prompt_tokens, usage.completion_tokens) == (1, 1000, 100)
    assert usage.cost_usd == pytest.approx((1000 * 2 + 100 * 8) / 1e6 / 2)
    assert found[3].model == "gpt-4.1@127.0.0.1" and found[3].stop == "end"
    asked = len(server.requests)
    assert desk.ask_all(10) == found and not desk.batches.look(idle=False)
    assert len(server.requests) == asked, "what is known is asked of nobody"


def test_what_is_sent(tmp_path, server):
    seen = {}
    server.stop = lambda what: seen.update(dict(server.files)) if what == "POST /batches" else None
    desk = Desk(tmp_path, server)
    desk.settle(1)
    ((_, content), *_) = seen.values()
    row = json.loads(content)
    assert (row["method"], row["url"], len(row["custom_id"])) == ("POST", "/v1/chat/completions", 64)
    assert row["body"]["model"] == "gpt-4.1" and row["body"]["max_completion_tokens"] == 100
    assert not {"stream", "stream_options"} & set(row["body"])
    assert row["body"]["messages"][1]["content"][0]["image_url"]["url"].startswith("data:image/jpeg;base64,")
    assert all(headers["Authorization"] == f"Bearer {KEY}" for headers in server.headers)
    assert not any(KEY.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert server.files == {}, "nothing of the documents stays with the provider"
    desk.batches.forget()
    assert not any(path.is_file() for path in (tmp_path / "spool").rglob("*"))


def test_who_waits_is_called_and_nobody_else(tmp_path, server):
    desk = Desk(tmp_path, server, batches={"most_rows": 1})
    assert desk.ask(0, job="a") is None is desk.ask(0, job="b") and desk.ask(1, job="c") is None
    server.fail = {2: "invalid_json_line"}
    called = []
    while len(called) < 3:
        called += sorted(desk.batches.look(idle=True))
    first, second = (sorted(server.batches[name]["keys"]) for name in ("batch_1", "batch_2"))
    assert called[:3] in (["c", "a", "b"], ["a", "b", "c"]) and first != second, "both that asked the same; and who has to ask again"
    assert desk.batches.look(idle=False) == set()
    desk.ask(2, job="late")
    (waiter,) = (tmp_path / "spool").glob("*/waiters/*/*/late")
    desk.batches.look(idle=True)
    while waiter.exists():
        desk.batches.look(idle=True)
    waiter.touch()  # as if it had come to wait while its answer came
    assert desk.batches.look(idle=False) == set() and desk.batches.look(idle=True) == {"late"}


def test_they_are_split_by_count_and_by_size(tmp_path, server):
    desk = Desk(tmp_path, server, batches={"most_rows": 4})
    desk.ask_all(10)
    desk.batches.look(idle=False)
    assert [len(batch["keys"]) for batch in server.batches.values()] == [4, 4], "whole ones do not wait for the rest"
    assert "2 in_progress" in desk.batches.state and "2 questions wait" in desk.batches.state
    desk.settle(10)
    assert [len(batch["keys"]) for batch in server.batches.values()] == [4, 4, 2] and not server.doubled

    sizes = Desk(tmp_path / "sizes", server)
    sizes.ask_all(6)
    (size,) = {path.stat().st_size for path in (tmp_path / "sizes").glob("spool/*/rows/*/*")}
    sizes.batches = OpenAiBatches(sizes.options, most_bytes=3 * size)  # room for two and their line ends
    sent = len(server.batches)
    sizes.settle(6)
    assert [len(batch["keys"]) for batch in list(server.batches.values())[sent:]] == [2, 2, 2]


def test_a_question_that_fits_into_no_batch_is_an_error(tmp_path, server):
    desk = Desk(tmp_path, server, batches={"most_bytes": 100})
    found = desk.settle(1)
    assert isinstance(found[0], AnswerError) and "fits into no batch" in found[0].message and server.requests == []


def test_what_was_kept_is_not_sent(tmp_path, server):
    with_memory = Desk(tmp_path, server, keep=tmp_path / "kept")
    with_memory.settle(2)
    other = Desk(tmp_path / "other", server, keep=tmp_path / "kept")
    found = other.ask_all(2)
    assert len(found) == 2 and all(reply.usage.calls == 0 for reply in found.values())


# ---- what fails ------------------------------------------------------------------------------------------------------


def faulty(text: str, before: int) -> tuple[int, dict[str, Any]]:
    number = int(NUMBER.findall(text)[-1])
    faults = {
        1: failure(500, "server_error"),
        2: failure(500, "server_error") if before < 2 else None,
        3: failure(429, "rate_limit_exceeded") if not before else None,
        4: failure(400, "invalid_request_error", f"I hate {KEY} and images"),
        5: failure(400, "content_filter"),
        6: failure(400, "context_length_exceeded"),
        7: completion("", finish="content_filter"),
        8: completion("half an ans", finish="length"),
        9: (200, {"nothing": "of use"}),
    }
    return faults.get(number) or always(text, before)


def test_each_row_ends_in_an_answer_or_in_what_is_wrong_with_it(tmp_path):
    with BatchServer(faulty) as server:
        desk = Desk(tmp_path, server)
        found = desk.settle(20)
        assert isinstance(found[1], AnswerError) and "500" in found[1].message, "another try was given twice"
        assert isinstance(found[4], AnswerError) and "400" in found[4].message and KEY not in str(found[4])
        assert isinstance(found[6], EngineError)
        assert isinstance(found[9], AnswerError)
        assert [found[number].stop for number in (5, 7, 8)] == ["refusal", "refusal", "length"]
        assert all(is_answer(found[number], number) for number in (0, 2, 3, *range(10, 20)))
        assert sorted(server.submitted.values()) == [*[1] * 17, 2, 3, 3]
        assert not server.doubled and set(server.paid.values()) == {1}


def test_another_call_asks_again_for_what_failed_and_for_nothing_else(tmp_path):
    with BatchServer(faulty) as server:
        desk = Desk(tmp_path, server)
        desk.settle(20)
        server.rule, before = always, dict(server.submitted)
        desk.again()
        found = desk.settle(20)
        assert all(is_answer(found[number], number) for number in (1, 4, 5, 6))
        assert sum((server.submitted - type(server.submitted)(before)).values()) == 4


def test_a_batch_that_expires_is_paid_as_far_as_it_came(tmp_path, server):
    server.expire = {1}
    found = Desk(tmp_path, server).settle(12)
    assert all(is_answer(reply, number) for number, reply in found.items())
    assert sorted(server.submitted.values()) == [1] * 6 + [2] * 6 and set(server.paid.values()) == {1}


def test_a_batch_that_is_not_taken_is_sent_again_and_then_it_is_said(tmp_path, server):
    server.fail = {1: "invalid_json_line"}
    desk = Desk(tmp_path, server)
    assert len(desk.settle(3)) == 3 and len(server.batches) == 2

    server.fail = dict.fromkeys(range(3, 99), "billing_hard_limit_reached")
    other = Desk(tmp_path / "other", server)
    with pytest.raises(AnswerError, match=r"takes no batch.*refused: billing_hard_limit_reached"):
        other.settle(3)
    assert len(server.batches) == 5
    server.fail = {}
    other.again()
    assert len(other.settle(3)) == 3, "nothing was lost by it"


def test_an_account_that_has_enough_waiting_gets_smaller_batches_later(tmp_path, server):
    server.most_rows = 3
    desk = Desk(tmp_path, server, batches={"crowded": 0.0})
    assert len(desk.settle(12)) == 12
    assert [len(batch["keys"]) for batch in server.batches.values() if batch["status"] == "failed"] == [12, 6, 6]
    patient = Desk(tmp_path / "patient", server)
    for _ in range(5):
        patient.ask_all(12)
        patient.batches.look(idle=True)
    assert "as many questions in batches as it may" in patient.batches.state and "12 questions wait" in patient.batches.state


def test_a_batch_that_somebody_cancels_is_not_sent_again(tmp_path, server):
    desk = Desk(tmp_path, server)
    desk.ask_all(3)
    desk.batches.look(idle=True)
    server.batches["batch_1"]["status"] = "cancelled"
    found = desk.settle(3)
    assert all(isinstance(one, AnswerError) and "cancelled" in one.message for one in found.values()) and len(server.batches) == 1


# ---- what breaks off -------------------------------------------------------------------------------------------------


def hang_up(handler: Any) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def once(what: str, do: Any) -> Any:
    """Spoil the first call of that kind."""
    left = [what]

    def spoil(call: str, handler: Any) -> bool:
        if not left or not call.startswith(left[0]):
            return False
        left.clear()
        return bool(do(call, handler))

    return spoil


def cut(call: str, handler: Any) -> bool:
    handler.rfile.read(min(100, int(handler.headers.get("Content-Length", 0))))
    hang_up(handler)
    return True


def lose(call: str, handler: Any) -> bool:
    """The call is done, but its answer gets lost."""
    handler._send = lambda *_: hang_up(handler)
    return False


def half(call: str, handler: Any) -> bool:
    content = handler.server_of.files[call.split("/")[2]][1]
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2])
    hang_up(handler)
    return True


@pytest.mark.parametrize(
    ("what", "do"),
    [
        ("POST /files", cut),
        ("POST /files", lose),
        ("POST /batches", cut),
        ("POST /batches", lose),
        ("GET /batches/", cut),
        ("GET /files/", cut),
        ("GET /files/", half),
        ("DELETE", lose),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
@pytest.mark.parametrize("killed", [False, True], ids=["goes on", "killed"])
def test_whatever_breaks_off_nothing_is_sent_or_paid_twice(what, do, killed, tmp_path, server):
    """In the middle of 5 batches, so that what happened has to be looked for on several pages."""
    server.spoil = once(what, do)
    desk = Desk(tmp_path, server, batches={"most_rows": 8})
    desk.ask_all(40)
    desk.batches.look(idle=True)
    if killed:
        desk.again()
    found = desk.settle(40)
    assert all(is_answer(reply, number) for number, reply in found.items())
    assert len(server.batches) == 5 and set(server.submitted.values()) == set(server.paid.values()) == {1} and not server.doubled
    assert len([call for call in server.requests if call == "POST /files"]) == 5 + ((what, do) == ("POST /files", cut))


def test_a_server_that_is_away_or_busy_is_waited_for(tmp_path, server):
    desk = Desk(tmp_path, server)
    desk.ask_all(2)

    def away(call: str, handler: Any) -> bool:
        handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        handler._say(*failure(503, "overloaded"))
        return True

    server.spoil = away
    assert desk.batches.look(idle=True) == set()
    assert "answered 503" in desk.batches.state and "1 not sent" in desk.batches.state
    server.spoil = lambda call, handler: False
    assert len(desk.settle(2)) == 2


def test_a_server_without_batches_says_so(tmp_path, server):
    def nothing(call: str, handler: Any) -> bool:
        handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        handler._say(*failure(404, "not_found"))
        return True

    server.spoil = nothing
    desk = Desk(tmp_path, server)
    desk.ask_all(2)
    with pytest.raises(AnswerError, match="answered 404"):
        desk.batches.look(idle=True)


def test_a_batch_that_is_gone_is_not_sent_again_without_a_word(tmp_path, server):
    desk = Desk(tmp_path, server)
    desk.ask_all(2)
    desk.batches.look(idle=True)
    server.batches.clear()
    with pytest.raises(AnswerError, match=r"answered 404.*about batch_1.*is the key of the project"):
        desk.batches.look(idle=True)
    assert set(server.submitted.values()) == {1}


def test_a_file_that_cannot_be_deleted_just_now_is_deleted_later(tmp_path, server):
    def refused(call: str, handler: Any) -> bool:
        if call.startswith("DELETE"):
            handler._say(*failure(503, "overloaded"))
        return call.startswith("DELETE")

    desk = Desk(tmp_path, server)
    server.spoil = refused
    assert len(desk.settle(2)) == 2 and len(server.files) == 2
    desk.batches.forget()
    assert list((tmp_path / "spool").glob("*/batches/*")), "what is left to do is not forgotten"
    server.spoil = lambda call, handler: False
    desk.again()
    assert desk.batches.look(idle=False) == set() and server.files == {}
    desk.batches.forget()
    assert not any(path.is_file() for path in (tmp_path / "spool").rglob("*"))


def test_budgets_need_answers_at_once(tmp_path, server):
    with pytest.raises(UsageError, match="budgets"):
        Desk(tmp_path, server, job_usd=1)


# ---- the command -----------------------------------------------------------------------------------------------------


PAGES = 60  # of 6 documents
FLAKY, BROKEN, TWICE = "0010", "0020", "0003"


def reading(text: str, before: int) -> tuple[int, dict[str, Any]]:
    """What the page says, as its words in the question do."""
    (number,) = set(NUMBER.findall(text))
    if number == BROKEN or (number == FLAKY and not before):
        return failure(500, "server_error")
    doubtful = number == TWICE and "earlier answer" not in text
    said = {"number": f"{number}-B", "items": None, "net": "60.00", "tax": "6.00", "total": ["66.00"] if doubtful else "66.00"}
    wanted = said if "- number" in text else {"total": "66.00"}
    return completion(json.dumps(wanted))


def slips(folder: Path) -> Path:
    """Documents whose pages all differ."""
    for at in range(0, PAGES, 10):
        pages = [(f"Sedel X {number:04}-B", "Samman 60.00", "Skat 6.00", "Betala 66.00") for number in range(at, at + 10)]
        folder.mkdir(exist_ok=True)
        draw(folder / f"slips{at}.pdf", *pages)
    return folder


class Call:
    """The command over a folder of slips, which asks this server."""

    def __init__(self, folder: Path, server: BatchServer) -> None:
        (folder / "slip.py").write_text(SLIP)
        self.papers, self.schema = slips(folder / "in"), f"{folder / 'slip.py'}:Slip"
        self.env = {
            "DOCPIPE_BACKEND": "openai_api",
            "DOCPIPE_HINT": "true",
            "DOCPIPE_MODEL__MODEL": "gpt-4.1",
            "DOCPIPE_MODEL__API__URL": server.url,
            "DOCPIPE_MODEL__API__KEY": KEY,
            "DOCPIPE_MODEL__API__DIALECT": "openai",
            "DOCPIPE_MODEL__API__LOGPROBS": "false",
        }

    def arguments(self, out: Path, *more: str) -> list[Any]:
        return ["batch", self.papers, "--out", out, "--jobs", "2", "--schema", self.schema, "--engine", "vlm", "--dpi", "72", *more]

    def run(self, out: Path, *more: str, **env: str) -> subprocess.CompletedProcess[bytes]:
        return docpipe(*self.arguments(out, *more), **self.env, **env)

    def killed(self, out: Path, *more: str, when: Any, how: signal.Signals = signal.SIGKILL) -> bytes:
        """A call that ends in the middle; what it printed on stderr."""
        process = subprocess.Popen(
            command(*self.arguments(out, *more)), stderr=subprocess.PIPE, env=environment(**self.env), start_new_session=True
        )
        with process:
            try:
                until(when, lambda: process.poll() is None)
            finally:
                os.killpg(process.pid, how)
                _, err = process.communicate(timeout=60)
        return err


def until(reached: Any, alive: Any, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert alive() and time.monotonic() < deadline
        time.sleep(0.02)


def results(out: Path) -> dict[str, dict[str, Any]]:
    return {path.name: json.loads(path.read_bytes()) for path in sorted(out.glob("*.pdf.json"))}


def without_price(result: dict[str, Any]) -> dict[str, Any]:
    """The result but for what it took, and for why there is a page that was not answered."""
    issues = [{**issue, "message": "" if issue["code"] == "engine_failed" else issue["message"]} for issue in result["issues"]]
    return {**{name: value for name, value in result.items() if name not in ("usage", "timing", "retryable")}, "issues": issues}


def holding(server: BatchServer, what: str) -> threading.Event:
    """Set once such a call is under way, which is not answered then."""
    reached = threading.Event()

    def stop(call: str) -> None:
        if call == what:
            server.stop = lambda call: None
            reached.set()
            time.sleep(2)  # until its caller is dead

    server.stop = stop
    return reached


@pytest.mark.crash
def test_every_page_is_accounted_for_whenever_the_command_is_killed(tmp_path):
    out, live = tmp_path / "out", tmp_path / "live"
    with BatchServer(reading) as server:
        call, quick = Call(tmp_path, server), ("--provider-batch", "--look", "0.2")
        rows = lambda: len(list(out.glob(".docpipe/provider/*/rows/*/*.json")))  # noqa: E731
        call.killed(out, "--provider-batch", "--look", "60", when=lambda: rows() >= 20)
        assert server.requests == [], "before anything was sent"
        for what in ("POST /files", "POST /batches"):
            call.killed(out, *quick, when=holding(server, what).is_set)
        server.looks = 1_000_000
        err = call.killed(out, *quick, when=lambda: server.requests.count("GET /batches/batch_1") > 2, how=signal.SIGTERM)
        assert last_line(err) == f"docpipe: batches: 1 in_progress; 0 of {PAGES} questions answered"
        server.looks = 1
        call.killed(out, *quick, when=holding(server, "GET content").is_set)
        done = call.run(out, *quick)
        assert done.returncode == 0, done.stderr
        found = results(out)
        assert len(found) == 6 and all(len(result["pages"]) == 10 for result in found.values())

        asked = PAGES + 1
        assert sorted(server.submitted.values()) == [*[1] * (asked - 2), 2, 3], "one once more, one twice more"
        assert not server.doubled and set(server.paid.values()) == {1}
        assert server.files == {} and not list(out.glob(".docpipe/provider/*/batches/*"))
        holes = [(name, issue["page"]) for name, result in found.items() for issue in result["issues"] if issue["code"] == "engine_failed"]
        assert holes == [("slips20.pdf.json", 1)], "the page that was never answered"
        tokens = sum(result["usage"]["by_engine"]["vlm"]["prompt_tokens"] for result in found.values())
        assert tokens == 1000 * sum(server.paid.values()) == 1000 * (asked - 1)

        batches, paid = len(server.batches), sum(server.paid.values())
        assert call.run(out, *quick).returncode == 0 and call.run(out).returncode == 0
        assert (len(server.batches), sum(server.paid.values())) == (batches, paid), "all is done, with the option and without"
        server.rule = lambda text, before: reading(text, 1)
        assert call.run(live, DOCPIPE_PATIENCE="0").returncode == 0
        direct = results(live)
        for name, result in found.items():
            assert without_price(result) == without_price(direct[name]), name
        cost = [sum(one["usage"]["by_engine"]["vlm"]["cost_usd"] for one in some.values()) for some in (found, direct)]
        assert cost[0] == pytest.approx(cost[1] / 2)


def test_the_option_needs_a_model_that_is_asked_and_a_provider_that_has_batches(tmp_path):
    plug = plugins(tmp_path)
    draw(tmp_path / "in" / "a.pdf") if (tmp_path / "in").mkdir() is None else None
    arguments = ["batch", tmp_path / "in", "--out", tmp_path / "out", "--provider-batch"]
    for more, said in (
        (["--engine", "labels"], b"no engine asks a model"),
        (["--engine", "vlm", "--backend", "replay"], b"replay has no provider that answers in batches"),
        (["--engine", "vlm", "--backend", "openai_api", "--look", "0"], b"--look"),
        (reading_options(plug), b"has no provider"),
    ):
        done = docpipe(*arguments, *more, DOCPIPE_MODEL__MODEL="m", DOCPIPE_MODEL__API__URL="http://127.0.0.1:9/v1")
        assert done.returncode == UsageError.exit_code and said in done.stderr, done.stderr
