"""An OpenAI-compatible server that keeps its word: it follows json_schema, gives logprobs and usage, streams; over a model of our own.

What it answers with is a local backend of docpipe, so that the way there and back through HTTP can be compared with asking it directly.
"""

import base64
import io
import json
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import Body, FastAPI
from fastapi.responses import JSONResponse, StreamingResponse
from PIL import Image

from docpipe.backends import Backend, Question, Reply, Shot
from docpipe.errors import DocpipeError

FINISH = {"end": "stop", "length": "length", "loop": "length", "refusal": "content_filter"}


def make_app(backend: Backend, *, name: str) -> FastAPI:
    """The server's only model goes by `name`."""
    app = FastAPI()

    @app.post("/v1/chat/completions")
    def chat(body: dict[str, Any] = Body()) -> Any:  # noqa: B008 (how FastAPI has it)
        if body["model"] != name:
            return complain(404, f"there is no model {body['model']}", "model_not_found")
        try:
            reply = backend.ask(asked(body, backend))
        except DocpipeError as problem:
            return complain(400, problem.message, "bad_request")
        sure = bool(body.get("logprobs"))
        if not body.get("stream"):
            return completion(name, "message", reply.text, pieces(reply) if sure else None, FINISH[reply.stop]) | {"usage": usage(reply)}
        return StreamingResponse(events(name, reply, body, sure=sure), media_type="text/event-stream")

    return app


def asked(body: dict[str, Any], backend: Backend) -> Question:
    """The request as a question: the last turn, with the turns before it as examples."""
    turns = body["messages"]
    system = turns.pop(0)["content"] if turns[0]["role"] == "system" else ""
    shots = [Shot(*content(turn, backend), answer=turns[at + 1]["content"]) for at, turn in enumerate(turns[:-1]) if at % 2 == 0]
    form = body.get("response_format") or {}
    schema = form["json_schema"]["schema"] if form.get("type") == "json_schema" else None
    most = body.get("max_tokens") or body.get("max_completion_tokens") or 64
    images, text = content(turns[-1], backend)
    return Question(images=images, text=text, system=system, shots=tuple(shots), schema=schema, most_tokens=most)


def content(turn: dict[str, Any], backend: Backend) -> tuple[tuple[Image.Image, ...], str]:
    """The images of a turn, at sizes that the model takes, and its text."""
    found = []
    for part in turn["content"]:
        if part["type"] == "image_url":
            image = Image.open(io.BytesIO(base64.b64decode(part["image_url"]["url"].partition(",")[2])))
            found.append(image.resize(backend.fit(*image.size)))
    return tuple(found), "".join(part.get("text", "") for part in turn["content"])


def pieces(reply: Reply) -> Iterator[tuple[str, float]]:
    """Text and probability of each token."""
    rest = reply.text.encode()
    for token in reply.tokens:
        yield rest[: token.size].decode(), token.probability
        rest = rest[token.size :]


def events(name: str, reply: Reply, body: dict[str, Any], *, sure: bool) -> Iterator[str]:
    for piece in pieces(reply):
        yield event(completion(name, "delta", piece[0], [piece] if sure else None, None))
    yield event(completion(name, "delta", None, None, FINISH[reply.stop]))
    if (body.get("stream_options") or {}).get("include_usage"):
        yield event({"model": name, "choices": [], "usage": usage(reply)})
    yield "data: [DONE]\n\n"


def completion(name: str, part: str, text: str | None, sure: Any, finish: str | None) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": 0, part: {"role": "assistant", "content": text}, "finish_reason": finish}
    if sure is not None:
        odds = [{"token": token, "logprob": math.log(max(odd, 1e-30)), "bytes": list(token.encode())} for token, odd in sure]
        choice["logprobs"] = {"content": odds}
    return {"id": "chatcmpl-0", "object": "chat.completion", "created": 0, "model": name, "choices": [choice]}


def usage(reply: Reply) -> dict[str, int]:
    return {"prompt_tokens": reply.usage.prompt_tokens, "completion_tokens": reply.usage.completion_tokens}


def event(said: dict[str, Any]) -> str:
    return f"data: {json.dumps(said, ensure_ascii=False)}\n\n"


def complain(status: int, message: str, code: str) -> JSONResponse:
    return JSONResponse({"error": {"message": message, "type": "invalid_request_error", "code": code}}, status)


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address of the app's `/v1` while it is served in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        thread.join(30)
