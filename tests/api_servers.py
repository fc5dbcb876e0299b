"""What OpenAI-compatible servers say, down to the byte: answers for `lines.Server`, good ones and every kind of bad one; and one that is
real."""

import http.client
import json
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faces import ROOT
from lines import Say, ok, raw
from processes import end, launch, wait_until
from servers import free_port

EVENTS = "Content-Type: text/event-stream; charset=utf-8"
JSON = "Content-Type: application/json"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
MODEL = "some-model-2026"


def piece(text: str | None = None, *, finish: str | None = None, refusal: str | None = None, odds: dict | None = None, **more) -> dict:
    """A piece of an answer; `odds` are the log probabilities of its tokens."""
    choice = {"index": 0, "delta": {"role": "assistant", "content": text, "refusal": refusal}, "finish_reason": finish}
    if odds is not None:
        choice["logprobs"] = {
            "content": [{"token": token, "logprob": odd, "bytes": list(token.encode()), "top_logprobs": []} for token, odd in odds.items()]
        }
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [choice], **more}


def usage(prompt: int = 1105, completion: int = 7) -> dict:
    return {"id": "1", "model": MODEL, "choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": completion}}


def data(*pieces: dict) -> bytes:
    """The pieces as events, without the end."""
    return b"".join(b"data: " + json.dumps(one, ensure_ascii=False).encode() + b"\n\n" for one in pieces)


def streamed(*pieces: dict, end: bytes = b"data: [DONE]\n\n", headers: tuple[str, ...] = ()) -> Say:
    """A whole answer in events."""
    return ok(data(*pieces) + end, EVENTS, *headers)


def saying(text: str) -> Say:
    """An answer that went well."""
    return streamed(*(piece(part) for part in text), piece(finish="stop"), usage())


def whole(text: str, finish: str = "stop") -> Say:
    """An answer from a server that does not stream."""
    said = {"object": "chat.completion", "model": MODEL, "usage": {"prompt_tokens": 5, "completion_tokens": 3}}
    said["choices"] = [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}]
    return ok(json.dumps(said).encode(), JSON)


def failing(status: str, message: str = "no", *headers: str, **more) -> Say:
    """An error as OpenAI words it."""
    return ok(json.dumps({"error": {"message": message, **more}}).encode(), JSON, *headers, status=status)


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


def flooding(block: bytes, *, megabytes: int) -> Say:
    """Events without an end in sight; counts in `flooding.sent` what went out before the other side hung up."""

    def say(connection: socket.socket, over: threading.Event) -> None:
        say.sent = 0
        connection.sendall(CHUNKED)
        for _ in range(megabytes * 1_000_000 // len(block)):
            connection.sendall(chunk(block))
            say.sent += len(block)

    say.sent = 0
    return say


def silent(connection: socket.socket, over: threading.Event) -> None:
    """Takes the question and says nothing."""
    over.wait(30)


def dripping(start: bytes, drop: bytes) -> Say:
    """A drop every 50 ms, for 10 s at the most."""

    def say(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(start)
        for _ in range(200):
            if over.wait(0.05):
                return
            connection.sendall(drop)

    return say


def broken_off(content: bytes) -> Say:
    """The start of a chunked answer, and then the end of the connection."""
    return raw(CHUNKED + chunk(content))


@contextmanager
def transformers_serve(checkpoint: Path, folder: Path) -> Iterator[str]:
    """The address of the `/v1` of a real `transformers serve` over a checkpoint."""
    port, log = free_port(), folder / "serve.log"
    (folder / "hub").mkdir()  # it wants to list what lies there
    program = Path(__file__).with_name("transformers_server.py")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"PYTHONPATH": str(ROOT), "HF_HUB_CACHE": str(folder / "hub"), "HF_HUB_OFFLINE": "1"}.items():
            patch.setenv(name, value)
        command = [sys.executable, program, checkpoint, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
        process = launch(command, log=log, on_death=signal.SIGKILL)
    try:
        wait_until(lambda: _is_well(port), process=process, log=log, seconds=120)  # transformers alone takes a while to load
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        end(process, signal.SIGTERM)


def _is_well(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
