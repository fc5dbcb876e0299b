"""Signing webhooks, and receiving them once."""

import copy
import logging
import pickle
import re
import threading
import time
import traceback
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lines import LOCAL, Server, ok

from docpipe import errors, webhook
from docpipe.outbound import Outbound, post
from docpipe.webhook import RETRIES, Receiver, Secret, SeenFile, SeenInMemory, event_id, sign, verdict, wait_before

# the example of the standard: https://github.com/standard-webhooks/standard-webhooks
TEXT = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIME = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

OLD, NEW = Secret(TEXT), Secret("whsec_" + "QUJD" * 8)


@pytest.fixture(params=["memory", "file"])
def seen(request, tmp_path):
    return SeenInMemory() if request.param == "memory" else SeenFile(tmp_path / "seen.sqlite")


def receiver(*secrets: Secret, seen=None, now: float = TIME) -> Receiver:
    return Receiver(secrets or (OLD,), seen=seen or SeenInMemory(), clock=lambda: now)


def signed(**change: str) -> dict[str, str]:
    return {**sign(BODY, id=ID, timestamp=TIME, secrets=[OLD]), **change}


# ---- signing ---------------------------------------------------------------------------------------------------------


def test_the_standards_own_example_is_signed_as_it_says():
    assert signed() == {"webhook-id": ID, "webhook-timestamp": str(TIME), "webhook-signature": SIGNATURE}


def test_while_secrets_rotate_each_signs_and_either_verifies():
    headers = sign(BODY, id=ID, timestamp=TIME, secrets=[NEW, OLD])
    first, second = headers["webhook-signature"].split(" ")
    assert first != SIGNATURE and second == SIGNATURE
    for secrets in ((OLD,), (NEW,), (OLD, NEW)):
        assert receiver(*secrets).receive(headers, BODY) is not None
    assert receiver(NEW, OLD).receive(signed(), BODY) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        TEXT.removeprefix("whsec_"),
        "whsec_geheim!",
        "whsec_geheim",
        "whsec_" + "QUJD" * 22,
        "whsec_" + "QUJD" * 7,
        "WHSEC_" + "QUJD" * 8,
        TEXT + "\n",
        TEXT + "ü",
    ],
)
def test_a_secret_that_is_none_is_refused_without_its_text(text):
    with pytest.raises(errors.SettingsError, match="whsec_") as caught:
        Secret(text)
    assert "geheim" not in "".join(traceback.format_exception(caught.value))


def test_a_secret_shows_itself_nowhere(caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(errors.SignatureError) as caught:
        receiver(OLD).receive(signed(**{"webhook-id": "other"}), BODY)
    for shown in (repr(OLD), str(OLD), f"{OLD}", repr([OLD]), str(caught.value), caplog.text):
        assert not re.search("MfKQ9r8G|g0hM9SsE|31f290f6|1\\\\xf2\\\\x90", shown)
    assert copy.deepcopy(OLD).signature(b"") == pickle.loads(pickle.dumps(OLD)).signature(b"") == OLD.signature(b"")


@pytest.mark.parametrize(
    "change", [{"id": "a.b"}, {"id": ""}, {"id": "a b"}, {"id": "a\r\nb"}, {"timestamp": -1}, {"timestamp": 1.5}, {"secrets": []}]
)
def test_what_cannot_be_signed_is_refused(change):
    with pytest.raises(errors.UsageError):
        sign(BODY, **{"id": ID, "timestamp": TIME, "secrets": [OLD], **change})


# ---- receiving -------------------------------------------------------------------------------------------------------


def test_an_event_comes_until_it_is_done_and_then_no_more(seen):
    receives = receiver(seen=seen)
    event = receives.receive({name.title(): value for name, value in signed().items()}, BODY)
    assert event is not None and (event.id, event.timestamp, event.data()) == (ID, TIME, {"test": 2432232314})
    assert receives.receive(signed(), BODY) == event, "work that broke off must come again"
    receives.done(event)
    receives.done(event)
    assert receives.receive(signed(), BODY) is None
    retry = sign(BODY, id=ID, timestamp=TIME + 60, secrets=[OLD])
    assert receives.receive(retry, BODY) is None
    assert receives.receive(sign(BODY, id="another", timestamp=TIME, secrets=[OLD]), BODY) is not None


def test_a_wrong_signature_is_refused_for_a_seen_id_too(seen):
    receives = receiver(seen=seen)
    receives.done(receives.receive(signed(), BODY))
    with pytest.raises(errors.SignatureError):
        receives.receive(signed(), BODY + b" ")


@given(st.data())
def test_any_flipped_bit_is_refused(data):
    headers, body = signed(), BODY
    part = data.draw(st.sampled_from([*headers, "body"]))
    content = bytearray(body if part == "body" else headers[part].encode())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    if part == "body":
        body = bytes(content)
    else:
        headers[part] = content.decode("latin-1")
    with pytest.raises(errors.SignatureError):
        Receiver([OLD], seen=SeenInMemory(), tolerance=1e12, clock=lambda: TIME).receive(headers, body)


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()), st.binary())
def test_whatever_comes_unsigned_is_refused_and_nothing_else_happens(headers, body):
    with pytest.raises(errors.SignatureError):
        receiver().receive({**signed(), **headers}, body)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "v1,",
        SIGNATURE.replace("v1", "v1a"),
        SIGNATURE.removeprefix("v1,"),
        SIGNATURE.rstrip("="),
        "v1 " + SIGNATURE[3:],
        SIGNATURE + "=",
        "v2" + SIGNATURE[2:],
    ],
)
def test_signatures_that_only_look_alike_are_refused(signature):
    with pytest.raises(errors.SignatureError):
        receiver().receive(signed(**{"webhook-signature": signature}), BODY)
    assert receiver().receive(signed(**{"webhook-signature": f"{signature} {SIGNATURE}"}), BODY) is not None


def test_the_parts_of_what_is_signed_cannot_be_moved():
    body = b"1614265331.x"
    headers = sign(body, id=ID, timestamp=TIME, secrets=[OLD])
    moved = {**headers, "webhook-id": f"{ID}.{TIME}", "webhook-timestamp": "1614265331"}
    with pytest.raises(errors.SignatureError):
        receiver().receive(moved, b"x")


@pytest.mark.parametrize(("off", "taken"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_only_the_present_is_taken(off, taken):
    if taken:
        assert receiver(now=TIME + off).receive(signed(), BODY) is not None
    else:
        with pytest.raises(errors.SignatureError, match="300 s off"):
            receiver(now=TIME + off).receive(signed(), BODY)


def test_a_receiver_without_a_secret_is_refused():
    with pytest.raises(errors.SettingsError):
        Receiver([], seen=SeenInMemory())


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_ids_are_forgotten_after_their_time(kind, tmp_path):
    seen = SeenInMemory(keep=100) if kind == "memory" else SeenFile(tmp_path / "seen.sqlite", keep=100)
    seen.add("a", 1000)
    seen.add("b", 1099)
    assert seen.has("a") and seen.has("b")
    seen.add("c", 1101)
    assert (seen.has("a"), seen.has("b"), seen.has("c")) == (False, True, True)


def test_a_file_outlives_its_process_and_takes_many_threads(tmp_path):
    file = tmp_path / "seen.sqlite"

    def work(number: int) -> None:
        for step in range(5):
            SeenFile(file).add(f"{number % 4}-{step}", TIME)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = SeenFile(file)
    assert all(again.has(f"{number}-{step}") for number in range(4) for step in range(5)) and not again.has("4-0")


# ---- when and whether ------------------------------------------------------------------------------------------------


def test_an_events_id_is_the_same_in_every_attempt_and_another_for_all_else():
    assert event_id("job", "job.done", "ab") == "e0defbbb-2c8a-589e-9a42-debe050dd9ea"
    assert (
        len({event_id(*parts) for parts in (("job", "done", "ab"), ("jo", "bdone", "ab"), ("job", "done", "ac"), ("job", "failed", "ab"))})
        == 4
    )


def test_waits_grow_with_jitter_and_end():
    random = Random(3)
    assert wait_before(1, random=random) == 0
    for attempt, wait in enumerate(RETRIES, start=2):
        waits = [wait_before(attempt, random=random) for _ in range(200)]
        assert 0.8 * wait <= min(waits) < 0.85 * wait and 1.15 * wait < max(waits) <= 1.2 * wait
    assert wait_before(len(RETRIES) + 2, random=random) is None
    assert RETRIES == (5, 30, 120, 600, 3600, 4 * 3600, 12 * 3600, 24 * 3600)


def test_a_receiver_can_ask_for_a_longer_wait_but_not_for_ever():
    random = Random(3)
    assert wait_before(2, random=random, retry_after=50.0) == 50
    assert wait_before(2, random=random, retry_after=1.0) >= 4
    assert wait_before(2, random=random, retry_after=1e9) == 86_400
    assert wait_before(10, random=random, retry_after=50.0) is None


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        *((status, "delivered") for status in (200, 204, 299)),
        (410, "dead"),
        *((status, "again") for status in (101, 300, 307, 400, 404, 429, 500, 503)),
    ],
)
def test_an_answer_has_a_meaning(status, meaning):
    assert verdict(status) == meaning


# ---- together --------------------------------------------------------------------------------------------------------


def test_what_is_posted_over_a_line_is_what_the_documented_receiver_takes_once(tmp_path, monkeypatch):
    (example,) = re.findall(r"```python\n(.*?)```", (Path(__file__).parent.parent / "docs" / "webhooks.md").read_text(), re.DOTALL)
    stored, names = [], {**vars(webhook), "Path": Path, "text": TEXT}
    names["store"] = lambda id, data: stored.append((id, data))
    monkeypatch.chdir(tmp_path)
    exec(example, names)
    with Server(ok(b"", status="500 No"), ok(b"", status="204 No Content")) as server:
        rules = Outbound(allowed=(LOCAL,), plain_http=True, seconds=20)
        for _ in range(2):
            post(server.url(), BODY, sign(BODY, id=ID, timestamp=int(time.time()), secrets=[OLD]), rules=rules)
        for request in server.requests:
            head, _, body = request.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
            assert names["receive"](headers, body) == 204
    assert stored == [(ID, {"test": 2432232314})]
