"""The backend for OpenAI-compatible servers: what it sends, and what it makes of everything a server may answer."""

import json
import logging
import math
import re
import subprocess
import sys
import threading
import time

import pytest
from api_servers import (
    CHUNKED,
    EVENTS,
    JSON,
    MODEL,
    broken_off,
    chunk,
    data,
    dripping,
    failing,
    flooding,
    piece,
    saying,
    silent,
    streamed,
    usage,
    whole,
)
from faces import ROOT, docpipe, environment, scan
from lines import Server, certificate, ok, raw, redirect
from PIL import Image

from docpipe.backends import ApiOptions, ModelOptions, Question, Shot, load_backend
from docpipe.backends._api import client
from docpipe.backends._api.strict import strict
from docpipe.errors import AnswerError, BusyError, DeadlineError, EngineError, OutboundError, SchemaError, UsageError
from docpipe.extract.vlm.parse import judge
from docpipe.extract.vlm.wire import compile_wire
from docpipe.fields import load_schema
from docpipe.records import Usage
from docpipe.settings import read_settings

pytestmark = pytest.mark.api

KEY = "sk-geheim-0123456789abcdef"
SCHEMA = {
    "type": "object",
    "properties": {"total": {"type": ["string", "null"], "maxLength": 20}},
    "required": ["total"],
    "additionalProperties": False,
}


def backend(server, *, seconds=20.0, model="some-model", pixels=None, **api):
    options = ApiOptions(url=server.url("/v1"), key=KEY, **api)
    return load_backend("openai_api", ModelOptions(model=model, seconds=seconds, pixels=pixels, api=options))


def question(text="Read it.", **more):
    return Question(images=(Image.new("RGB", (64, 48), "white"),), text=text, **{"most_tokens": 100, **more})


def asking(say, *, seconds=20.0, asked=None, **api):
    """The reply to one question, where the server says this."""
    with Server(say) as server:
        made = backend(server, seconds=seconds, **api)
        try:
            return made.ask(asked or question())
        finally:
            made.close()


def sent(server) -> dict:
    """The last request's fields."""
    return json.loads(server.requests[-1].partition(b"\r\n\r\n")[2])


# ---- what goes right -------------------------------------------------------------------------------------------------


def test_an_answer_with_its_tokens_and_its_cost():
    odds = {"Tót": -0.1, "al": -2.0}
    reply = asking(streamed(piece(""), piece("Tótal", odds=odds), piece(finish="stop", odds={"<|im_end|>": -0.5}), usage()))
    assert (reply.text, reply.stop, reply.model) == ("Tótal", "end", f"{MODEL}@127.0.0.1")
    assert reply.usage == Usage(calls=1, prompt_tokens=1105, completion_tokens=7)
    assert [token.size for token in reply.tokens] == [4, 2]
    assert [token.probability for token in reply.tokens] == pytest.approx([math.exp(-0.1), math.exp(-2.0)])


@pytest.mark.parametrize(
    ("say", "stop"),
    [
        (streamed(piece("a"), piece(finish="length"), usage()), "length"),
        (streamed(piece("a"), piece(finish="content_filter")), "refusal"),
        (streamed(piece(refusal="I cannot"), piece(refusal=" help."), piece(finish="stop")), "refusal"),
        (whole("a", finish="length"), "length"),
        (failing("400 Bad Request", "filtered", code="content_filter"), "refusal"),
        (failing("400 Bad Request", code="content_policy_violation"), "refusal"),
        (failing("400 Bad Request", code="unknown", innererror={"code": "ResponsibleAIPolicyViolation"}), "refusal"),
        (failing("403 Forbidden", code=403, metadata={"reasons": ["violence"], "flagged_input": "..."}), "refusal"),
    ],
)
def test_why_an_answer_ended(say, stop):
    assert asking(say).stop == stop


def test_a_server_that_ignores_the_schema_is_found_out():
    reply = asking(saying("The total is 5."), asked=question(schema=SCHEMA))
    assert reply.stop == "end"
    assert judge(reply, SCHEMA, blank=False).why == "invalid"


def test_a_whole_answer_is_taken_too():
    reply = asking(whole('{"total": null}'))
    assert (reply.text, reply.stop, reply.usage.prompt_tokens) == ('{"total": null}', "end", 5)


@pytest.mark.parametrize("width", [1, 7, 1000])
def test_line_separators_comments_and_events_split_anywhere(width):
    """A text may hold every line separator of Unicode, and a packet may end within a letter."""
    text = "a\u2028b\x85c\u00e9\ud55c"
    body = (
        b": OPENROUTER PROCESSING\r\n\r\n"
        + data(piece(text))
        + b"event: x\r\ndata:"
        + json.dumps(piece("!", finish="stop")).encode()
        + b"\r\n"
    )
    parts = b"".join(chunk(body[at : at + width]) for at in range(0, len(body), width))
    assert asking(raw(CHUNKED + parts + chunk(b"\ndata: [DONE]\n\n") + b"0\r\n\r\n")).text == text + "!"


def test_where_the_server_does_not_count_the_tokens_are_estimated():
    reply = asking(streamed(piece("a"), piece("b"), piece(finish="stop")))
    assert reply.usage.completion_tokens == 2
    assert reply.usage.prompt_tokens >= 4


def test_tokens_that_do_not_make_up_the_text_are_none():
    assert asking(streamed(piece("abc", odds={"ab": -0.1}), piece(finish="stop"))).tokens == ()


def test_many_questions_at_once_each_get_their_own_answer():
    with Server(*(saying(f"answer {number}") for number in range(8))) as server:
        made, found = backend(server), []
        threads = [threading.Thread(target=lambda: found.append(made.ask(question()).text)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        made.close()
    assert sorted(found) == [f"answer {number}" for number in range(8)]


def test_a_closed_backend_opens_again():
    with Server(saying("a"), saying("b")) as server:
        made = backend(server)
        assert made.ask(question()).text == "a"
        made.close()
        assert made.ask(question()).text == "b"
        made.close()


# ---- what is sent ----------------------------------------------------------------------------------------------------


def test_images_examples_and_the_question_in_their_order():
    shot = Shot(images=(Image.new("RGB", (32, 32)),), text="example", answer="{}")
    with Server(saying("a")) as server:
        backend(server, jpeg_quality=50, detail="low").ask(question("Now.", system="Copy.", shots=(shot,)))
        asked = sent(server)
    assert [turn["role"] for turn in asked["messages"]] == ["system", "user", "assistant", "user"]
    image, text = asked["messages"][3]["content"]
    assert image["image_url"]["url"].startswith("data:image/jpeg;base64,/9j/")
    assert image["image_url"]["detail"] == "low"
    assert text == {"type": "text", "text": "Now."}


def test_an_open_server_gets_the_schema_whole():
    with Server(saying("{}")) as server:
        backend(server).ask(question(schema=SCHEMA))
        asked = sent(server)
    assert (asked["max_tokens"], asked["temperature"], asked["logprobs"], asked["stream"]) == (100, 0, True, True)
    assert asked["response_format"] == {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}
    assert asked["model"] == "some-model" and "max_completion_tokens" not in asked


def test_openai_gets_what_its_strict_mode_takes():
    with Server(saying("{}")) as server:
        backend(server, dialect="openai").ask(question(schema=SCHEMA))
        asked = sent(server)
    assert asked["max_completion_tokens"] == 100 and "max_tokens" not in asked
    assert asked["response_format"]["json_schema"]["schema"]["properties"]["total"] == {"type": ["string", "null"]}


def test_a_model_that_thinks_gets_room_and_no_temperature():
    with Server(saying("{}")) as server:
        made = backend(server, dialect="openai", effort="low")
        made.ask(question())
        asked = sent(server)
    assert asked["reasoning_effort"] == "low"
    assert asked["max_completion_tokens"] > 100
    assert not asked.keys() & {"temperature", "logprobs"}
    assert not made.ability.probabilities


@pytest.mark.parametrize(("structured", "kind"), [("json_object", {"type": "json_object"}), ("none", None)])
def test_a_form_that_is_only_wished_for(structured, kind):
    with Server(saying("{}")) as server:
        extra = {"chat_template_kwargs": {"enable_thinking": False}, "temperature": None}
        made = backend(server, structured=structured, logprobs=False, extra=extra)
        made.ask(question(schema=SCHEMA))
        asked = sent(server)
    assert asked.get("response_format") == kind
    assert asked["chat_template_kwargs"] == {"enable_thinking": False}
    assert not asked.keys() & {"logprobs", "temperature"}
    assert not made.ability.constrained and not made.ability.probabilities


def test_azure_is_asked_by_deployment_and_version():
    with Server(saying("a")) as server:
        options = ApiOptions(url=server.url(""), key=KEY, version="2025-04-01-preview")
        load_backend("openai_api", ModelOptions(model="my-deployment", api=options)).ask(question())
        head = server.requests[0].partition(b"\r\n\r\n")[0]
    assert head.startswith(b"POST /openai/deployments/my-deployment/chat/completions?api-version=2025-04-01-preview HTTP/1.1")
    assert b"api-key: " + KEY.encode() in head
    assert b"uthorization" not in head


def test_nothing_of_the_environment_and_of_this_machine_is_sent(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("default login me password geheim")
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "AZURE_OPENAI_API_KEY"):
        monkeypatch.setenv(name, "ambient")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Mine: ambient\nAuthorization: Bearer ambient")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with Server(saying("a")) as server:
        backend(server).ask(question())
        load_backend("openai_api", ModelOptions(model="m", api=ApiOptions(url=server.url("/v1")))).ask(question())
        heads = [request.partition(b"\r\n\r\n")[0] for request in server.requests]
    names = [sorted(line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]) for head in heads]
    plain = [b"accept", b"accept-encoding", b"content-length", b"content-type", b"host", b"user-agent"]
    assert names == [sorted([*plain, b"authorization"]), plain]
    assert not any(b"ambient" in request for request in heads)


def test_sizes_keep_to_the_budget():
    with Server(saying("a")) as server:
        assert backend(server).fit(2480, 3508) == (1447, 2048)
        assert backend(server, detail="low").fit(2480, 3508)[1] == 512
        assert backend(server).fit(300, 200) == (300, 200)
        made = backend(server, pixels=1_000_000)
        width, height = made.fit(2480, 3508)
        assert 990_000 < width * height <= 1_000_000
        assert made.fit(width, height) == (width, height)
        assert made.fit(1, 100_000_000)[0] == 1
        assert made.image_tokens(width, height) > 0
        made.ask(question())


def test_a_model_that_sees_in_squares_is_sent_whole_ones():
    with Server(saying("a")) as server:
        made = backend(server, square=28, pixels=1_000_000)
        width, height = made.fit(2480, 3508)
        assert width % 28 == height % 28 == 0 and 900_000 < width * height <= 1_000_000
        assert made.fit(width, height) == (width, height)
        assert made.image_tokens(width, height) == width * height // 28**2
        assert made.fit(1, 1) == (28, 28)
        made.ask(question())


def test_a_certificate_is_looked_at(monkeypatch, tmp_path):
    file, tls = certificate(tmp_path, "localhost")
    with Server(saying("a"), tls=tls) as server:
        options = ModelOptions(model="m", api=ApiOptions(url=server.url("/v1", host="localhost", scheme="https"), key=KEY))
        with pytest.raises(OutboundError, match="CERTIFICATE_VERIFY_FAILED"):
            load_backend("openai_api", options).ask(question())
        assert not server.requests
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        assert load_backend("openai_api", options).ask(question()).text == "a"


# ---- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        (("Retry-After: 7",), 7.0),
        (("Retry-After: 2.5",), 2.5),
        (("retry-after-ms: 1500", "Retry-After: 2"), 1.5),
        (("x-ratelimit-remaining-tokens: 0", "x-ratelimit-reset-tokens: 6m0s", "x-ratelimit-reset-requests: 20ms"), 360.0),
        (("x-ratelimit-remaining-tokens: 9", "x-ratelimit-reset-tokens: 1h", "x-ratelimit-reset-requests: 20ms"), 0.02),
        (("Retry-After: 999999999",), 86_400.0),
        (("Retry-After: soon",), 0.0),
        ((), 0.0),
    ],
)
def test_a_rate_limit_says_how_long_to_wait(headers, after):
    with pytest.raises(BusyError) as caught:
        asking(failing("429 Too Many Requests", "slow down", *headers))
    assert caught.value.after == pytest.approx(after)


def test_credit_that_is_only_held_back_is_waited_for():
    with pytest.raises(BusyError) as caught:
        asking(failing("402 Payment Required", "in flight", "Retry-After: 4"))
    assert caught.value.after == 4.0


def test_a_date_to_wait_for():
    with pytest.raises(BusyError) as caught:
        asking(failing("429 Too Many Requests", "no", "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT"))
    assert caught.value.after == 86_400.0


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad Gateway", "503 Busy", "529 Overloaded", "408 Slow", "409 Locked"])
def test_a_server_in_trouble_is_worth_another_try(status):
    with pytest.raises(OutboundError) as caught:
        asking(ok(b"<html>", "Content-Type: text/html", "Retry-After: 3", status=status))
    assert (caught.value.status, caught.value.retry_after, caught.value.retryable) == (int(status[:3]), 3.0, True)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Busy"])
def test_nothing_is_tried_again_here(status):
    with Server(failing(status)) as server:
        with pytest.raises((BusyError, OutboundError)):
            backend(server).ask(question())
        assert server.connections == 1


def test_of_a_servers_words_a_message_repeats_few():
    with pytest.raises(AnswerError) as caught:
        asking(failing("400 Bad Request", "your prompt\nwas " + "x" * 5000))
    assert "your prompt was x" in caught.value.message
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("say", "hint"),
    [
        (failing("401 Unauthorized", f"Received API Key = {KEY}", code="invalid_api_key"), "KEY is not this server's"),
        (failing("403 Forbidden", "no"), "may not do this"),
        (failing("402 Payment Required", "no"), "credit"),
        (failing("429 Too Many Requests", "no", code="insufficient_quota"), "credit"),
        (failing("404 Not Found", "The model `some-model` does not exist", code="model_not_found"), "DOCPIPE_MODEL__MODEL"),
        (failing("413 Too Large", "no"), "PIXELS"),
        (failing("400 Bad Request", "You are not allowed to request logprobs from this model"), "LOGPROBS=false"),
        (failing("400 Bad Request", "no", param="logprobs", code="unsupported_parameter"), "LOGPROBS=false"),
        (failing("400 Bad Request", "Unsupported value: 'temperature' does not support 0", param="temperature"), "EFFORT=low"),
        (failing("400 Bad Request", "Unsupported parameter: 'max_tokens'", param="max_tokens"), "DIALECT=openai"),
        (failing("400 Bad Request", "In context=(...), 'maxLength' is not permitted.", param="response_format"), "DIALECT=openai"),
        (failing("400 Bad Request", "Invalid schema for response_format 'answer'", param="response_format"), "STRUCTURED=json_object"),
        (failing("400 Bad Request", "unknown field", param="stream_options"), "stream_options"),
        (ok(b'{"detail": "no image here"}', JSON, status="422 Unprocessable"), "does the model see images?"),
        (redirect("/v2", "307 Temporary Redirect"), "sends its callers elsewhere"),
    ],
)
def test_what_a_server_will_not_take_says_the_way_out(say, hint):
    with pytest.raises(AnswerError) as caught:
        asking(say)
    assert hint in caught.value.hint
    assert not caught.value.retryable
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "say",
    [
        failing("400 Bad Request", "no", code="context_length_exceeded"),
        failing("400 Bad Request", "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens"),
        failing("400 Bad Request", "The prompt (total length 9100) is too long to fit into the model (context length 4096)"),
        failing("400 Bad Request", "max_tokens must be at least 1, got -186."),
    ],
)
def test_a_question_that_is_too_long(say):
    with pytest.raises(EngineError) as caught:
        asking(say)
    assert "PIXELS" in caught.value.hint


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "slow down", "code": 429}, BusyError),
        ({"message": "slow down", "type": "rate_limit_error"}, BusyError),
        ({"message": "upstream failed", "code": 502}, OutboundError),
        ({"message": "what"}, OutboundError),
        ({"message": "bad", "type": "invalid_request_error"}, AnswerError),
        ("something", OutboundError),
    ],
)
def test_an_error_in_the_middle_of_an_answer(error, kind):
    with pytest.raises(kind):
        asking(streamed(piece("a"), {"error": error}))


@pytest.mark.parametrize(
    "say",
    [
        raw(b""),
        raw(b"nonsense\r\n\r\n"),
        broken_off(data(piece("a"))),
        broken_off(data(piece("a"))[:-20]),
        streamed(piece("a")),
        streamed(piece("a"), end=b'data: {"choices": [{"del\n\n'),
        streamed(piece("a"), end=b""),
        streamed(piece("a"), piece(finish="error")),
        ok(data(piece("a")), EVENTS, length=10_000),
        ok(b'{"choices": [{"mess', JSON),
    ],
    ids=["nothing", "no_http", "cut", "cut_in_a_piece", "no_end", "half_a_piece", "no_done", "failed", "short", "half_json"],
)
def test_an_answer_that_is_not_whole_is_worth_another_try(say):
    with pytest.raises(OutboundError) as caught:
        asking(say)
    assert caught.value.retryable


@pytest.mark.parametrize(
    "say",
    [
        ok(b"<html>Sign in</html>", "Content-Type: text/html"),
        ok(b"hello"),
        streamed({"choices": "what"}),
        streamed(piece("a"), piece(finish="moon")),
        ok(b"\x1f\x8b" * 50, EVENTS, "Content-Encoding: gzip"),
        ok(b"[]", JSON),
    ],
    ids=["page", "no_type", "wrong_shape", "odd_end", "compressed", "list"],
)
def test_what_is_no_chat_completion_is_not_asked_for_again(say):
    with pytest.raises(AnswerError) as caught:
        asking(say)
    assert not caught.value.retryable


DRIPS = {
    "silence": silent,
    "headers": dripping(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "comments": dripping(CHUNKED, chunk(b": wait\n\n")),
    "letters": dripping(CHUNKED, chunk(data(piece("a")))),
    "error": dripping(b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n", chunk(b"x")),
}


@pytest.mark.parametrize("drip", DRIPS)
def test_a_server_that_drips_is_given_up_in_time(drip):
    began = time.monotonic()
    with pytest.raises(DeadlineError) as caught:
        asking(DRIPS[drip], seconds=0.5, asked=question(most_tokens=100_000))
    assert time.monotonic() - began < 5
    assert "DOCPIPE_MODEL__SECONDS" in caught.value.hint


def test_a_server_that_takes_no_question_is_given_up_in_time():
    large = Image.effect_noise((2000, 2000), 200).convert("RGB")
    began = time.monotonic()
    with Server(silent, reads=False) as server, pytest.raises(DeadlineError):
        backend(server, seconds=0.5, jpeg_quality=100).ask(Question(images=(large,), text="Read."))
    assert time.monotonic() - began < 10


def test_a_handshake_that_does_not_end_is_given_up_in_time():
    with Server(silent, reads=False) as server, pytest.raises(DeadlineError):
        url = server.url("/v1", scheme="https")
        load_backend("openai_api", ModelOptions(model="m", seconds=0.5, api=ApiOptions(url=url))).ask(question())


def test_a_server_that_is_not_there():
    with Server(saying("a")) as server:
        pass
    with pytest.raises(OutboundError, match="no connection"):
        backend(server).ask(question())


def test_a_host_that_has_no_address():
    with pytest.raises(OutboundError, match="does not resolve"):
        load_backend("openai_api", ModelOptions(model="m", api=ApiOptions(url="http://nowhere.invalid/v1"))).ask(question())


def test_an_answer_that_goes_round_in_circles_is_cut_early():
    """20,000 rows are on the way; the connection is closed after the first few kilobytes of text."""
    rows = flooding(data(piece('{"amount": "9.99"}, ')), megabytes=60)
    reply = asking(rows, asked=question(most_tokens=200_000))
    assert reply.stop == "loop"
    assert 800 <= len(reply.text) < 20_000
    assert rows.sent < 30_000_000
    assert reply.usage.completion_tokens > 0


def test_a_model_that_thinks_in_circles_is_cut_early():
    thought = piece()
    thought["choices"][0]["delta"]["reasoning_content"] = "Wait, let me look again. "
    reply = asking(flooding(data(thought), megabytes=60), asked=question(most_tokens=200_000))
    assert (reply.stop, reply.text) == ("loop", "")
    assert reply.usage.completion_tokens >= 32


def test_a_long_answer_without_a_loop_is_no_loop():
    text = " ".join(str(number) for number in range(2000))
    reply = asking(
        streamed(*(piece(text[at : at + 5]) for at in range(0, len(text), 5)), piece(finish="stop")), asked=question(most_tokens=9000)
    )
    assert (reply.stop, reply.text) == ("end", text)


def test_an_answer_of_ten_megabytes_is_cut():
    text = " ".join(str(number) for number in range(100_000, 101_000))
    flood = flooding(data(piece(text)), megabytes=60)
    reply = asking(flood)
    assert reply.stop == "length"
    assert len(reply.text) < 20_000
    assert flood.sent < 30_000_000


@pytest.mark.parametrize(
    "say",
    [
        ok(b'{"choices": "' + b"x" * 10_000_000 + b'"}', JSON),
        flooding(b": comment\n\n" * 1000, megabytes=10),
        ok(b"x" * 10_000_000, status="500 Oops"),
    ],
    ids=["one_piece", "comments", "error"],
)
def test_bytes_without_an_end_are_not_read(say):
    with pytest.raises(AnswerError, match="bytes"):
        asking(say)


# ---- schemas ---------------------------------------------------------------------------------------------------------


def an_object(**properties):
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def nested(levels):
    return an_object(inner=nested(levels - 1)) if levels else {"type": "string"}


@pytest.mark.parametrize("name", ["invoice", "receipt", "form", "transcript", "tax_invoice_kr"])
def test_strict_mode_takes_every_schema_of_ours(name):
    wire = compile_wire(load_schema(name)[0])
    assert "maxLength" in json.dumps(wire.schema)
    assert "maxLength" not in json.dumps(strict(wire.schema))


def test_a_field_may_be_called_like_a_length():
    schema = an_object(maxLength={"type": "string", "maxLength": 9}, enum={"type": "string"})
    assert strict(schema) == an_object(maxLength={"type": "string"}, enum={"type": "string"})


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "array", "items": {"type": "string"}}, "not of an object"),
        ({"anyOf": [an_object(a={"type": "string"}), {"type": "null"}]}, "not of an object"),
        (an_object(a={"type": "string"}) | {"required": []}, "a has to be required"),
        (an_object(a={"type": "object", "properties": {}}), "a: additionalProperties"),
        (an_object(a={"oneOf": [{"type": "string"}]}), "a: oneOf"),
        (an_object(a={"type": "array", "items": an_object(b={"type": "string", "format": "iban"})}), r"a\[\*\].b: the format iban"),
        (an_object(a={"anyOf": [an_object(b={"type": "array", "uniqueItems": True}), {"type": "null"}]}), "a.b: uniqueItems"),
        (nested(11), "10 levels"),
        (an_object(a={"type": "string", "enum": [f"{number}" for number in range(1001)]}), "1000 choices"),
        (an_object(a={"type": "string", "enum": [f"{number:060}" for number in range(251)]}), "15000 characters"),
        (an_object(**{f"f{number}": {"type": "string"} for number in range(5001)}), "5000 properties"),
        (an_object(**{f"{number:0200}": {"type": "string"} for number in range(601)}), "120000 characters"),
    ],
)
def test_what_strict_mode_would_refuse_is_not_sent(schema, said):
    with Server(saying("{}")) as server:
        with pytest.raises(SchemaError, match=said):
            backend(server, dialect="openai").ask(question(schema=schema))
        assert server.connections == 0
        assert backend(server).ask(question(schema=schema)).text == "{}"


def test_ten_levels_and_a_thousand_choices_are_taken():
    assert strict(nested(10)) == nested(10)
    strict(an_object(a={"type": "string", "enum": [f"{number}" for number in range(1000)]}))


# ---- options ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "api"),
    [
        ("m", {}),
        ("m", {"key": ""}),
        ("", {"url": "http://127.0.0.1:1/v1"}),
        ("m", {"url": "127.0.0.1:8000"}),
        ("m", {"url": "http://me:geheim@host/v1"}),
        ("m", {"url": "http://host/v1?key=geheim"}),
        ("m", {"url": "http://host:port/v1"}),
        ("m", {"url": "http://host/v1", "key": "geheim\n"}),
        ("m", {"url": "http://host/v1", "key": "geheim\u00e9"}),
    ],
)
def test_options_that_mean_no_server_are_refused(model, api):
    with pytest.raises(UsageError) as caught:
        load_backend("openai_api", ModelOptions(model=model, api=ApiOptions(**api)))
    assert caught.value.hint
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("api", "openai"),
    [
        ({"key": KEY}, True),
        ({"url": "https://eu.api.openai.com/v1", "key": KEY}, True),
        ({"url": "https://eu.openai.azure.com", "version": "1"}, True),
        ({"url": "https://eu.openai.azure.com/openai/v1"}, True),
        ({"url": "https://openrouter.ai/api/v1"}, True),
        ({"url": "https://notopenrouter.ai/api/v1"}, False),
        ({"url": "http://127.0.0.1:8000/v1"}, False),
        ({"url": "http://127.0.0.1:8000/v1", "dialect": "openai"}, True),
        ({"key": KEY, "dialect": "open"}, False),
    ],
)
def test_the_dialect_goes_by_the_host(api, openai):
    assert client.Server(ApiOptions(**api)).is_openai is openai


def test_options_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("DOCPIPE_MODEL__MODEL", "qwen")
    monkeypatch.setenv("DOCPIPE_MODEL__API__URL", "http://127.0.0.1:8000/v1")
    monkeypatch.setenv("DOCPIPE_MODEL__API__KEY", KEY)
    monkeypatch.setenv("DOCPIPE_MODEL__API__EXTRA", '{"top_k": 1}')
    settings = read_settings()
    assert settings.model.api.extra == {"top_k": 1}
    assert KEY not in repr(settings) + settings.model_dump_json()
    assert load_backend("openai_api", settings.model).lane == "api"


def test_every_option_is_documented():
    page, settings = ((ROOT / "docs" / name).read_text() for name in ("api.md", "settings.md"))
    for name in ApiOptions.model_fields:
        assert f"\n| {name.upper()} |" in page
        assert re.search(rf"\bDOCPIPE_MODEL__API__URL, .*\b{name.upper()}\b|API__{name.upper()}\b", settings), name


def test_without_the_package_it_says_what_to_install():
    script = (
        "import sys\n"
        "sys.modules['openai'] = None\n"
        "from docpipe.backends import ApiOptions, ModelOptions, Question, load_backend\n"
        "from docpipe.errors import MissingError\n"
        "made = load_backend('openai_api', ModelOptions(model='m', api=ApiOptions(url='http://127.0.0.1:1/v1')))\n"
        "assert made.ability.grade == 'document' and 'httpx2' not in sys.modules\n"
        "try:\n"
        "    made.ask(Question(images=(), text='Read.'))\n"
        "except MissingError as problem:\n"
        "    print(problem.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment(), text=True, timeout=60)
    assert done.stdout.strip() == "pip install 'docpipe[api]'", done.stderr


# ---- the key ---------------------------------------------------------------------------------------------------------


def test_the_key_is_nowhere(caplog):
    caplog.set_level(logging.DEBUG)
    shown = []
    with Server(
        saying("a"),
        failing("401 Unauthorized", f"Incorrect API key provided: {KEY[:6]}***{KEY[-4:]}", code="invalid_api_key"),
        failing("400 Bad Request", f"the header was Bearer {KEY}"),
        failing("500 Oops", f"the header was Bearer {KEY}"),
        broken_off(data(piece("a"))),
        streamed({"error": {"message": f"Bearer {KEY}", "code": 400}}),
    ) as server:
        made = backend(server)
        shown.append(made.ask(question()).model_dump_json())
        for _ in range(5):
            with pytest.raises((AnswerError, OutboundError)) as caught:
                made.ask(question())
            problem = caught.value
            shown += [str(problem), repr(problem), problem.message, problem.hint]
            assert problem.__suppress_context__ or KEY not in repr(problem.__context__)
        shown += [repr(made.options), str(made.options), made.options.model_dump_json(), repr(vars(made)), repr(vars(made._server))]
        shown += [repr(vars(made._server._made._client._transport))]
        made.close()
        assert all(KEY.encode() in request for request in server.requests)
    everything = "\n".join((*shown, caplog.text))
    assert KEY not in everything
    assert KEY[-4:] not in everything
    assert "127.0.0.1" in caplog.text


def test_the_command_asks_and_does_not_tell_the_key(tmp_path):
    page = scan(tmp_path / "page.pdf")
    with Server(saying("A picture of words."), failing("401 Unauthorized", f"Incorrect API key provided: {KEY}")) as server:
        env = {"DOCPIPE_BACKEND": "openai_api", "DOCPIPE_MODEL__MODEL": "some-model"}
        env |= {"DOCPIPE_MODEL__API__URL": server.url("/v1"), "DOCPIPE_MODEL__API__KEY": KEY}
        told, refused = docpipe("ask", page, "What is this?", "--json", **env), docpipe("ask", page, "What is this?", **env)
    answer = json.loads(told.stdout)["answers"][0]
    assert (answer["text"], answer["model"]) == ("A picture of words.", f"{MODEL}@127.0.0.1")
    assert refused.returncode == AnswerError.exit_code
    assert b"answered 401" in refused.stderr
    assert not any(KEY.encode() in said for run in (told, refused) for said in (run.stdout, run.stderr))


def test_without_an_address_and_a_key_nothing_is_asked(tmp_path):
    done = docpipe("ask", scan(tmp_path / "page.pdf"), "What?", DOCPIPE_BACKEND="openai_api", DOCPIPE_MODEL__MODEL="gpt-4.1")
    assert done.returncode == UsageError.exit_code
    assert b"DOCPIPE_MODEL__API__KEY" in done.stderr
