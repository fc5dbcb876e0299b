"""A fake of OpenAI's Batch API and chat completions on 127.0.0.1, which answers by a rule of the test's and goes wrong where a test says
so."""

import json
import random
import re
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NUMBER = re.compile(r"\b(\d{4})-B\b")
Rule = Callable[[str, int], tuple[int, dict[str, Any]]]  # the question's text, and how often it was asked before -> status and body


def completion(text: str, finish: str = "stop", **more: Any) -> tuple[int, dict[str, Any]]:
    message = {"role": "assistant", "content": text, "refusal": None, **more}
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return 200, {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4.1", "choices": [choice], "usage": usage}


def failure(status: int, code: str, message: str = "no") -> tuple[int, dict[str, Any]]:
    return status, {"error": {"message": message, "code": code, "type": "error", "param": None}}


def text_of(body: dict[str, Any]) -> str:
    """All that was asked in words."""
    parts = [message["content"] for message in body["messages"]]
    return "\n".join(part if isinstance(part, str) else "\n".join(one["text"] for one in part if one["type"] == "text") for part in parts)


class BatchServer:
    """`submitted` counts how often each question came in a batch, `paid` how often it was answered; `doubled` are questions that were in
    two batches at the same time. What is about to happen is told to `stop`, which may hold it, and to `spoil`, which may replace the
    answer. A batch is over after `looks`; one of more than `most_rows` is more than the account may have waiting."""

    def __init__(self, rule: Rule, *, looks: int = 2, most_rows: int = 50_000, seed: int = 1) -> None:
        self.rule, self.looks, self.most_rows = rule, looks, most_rows
        self.files: dict[str, tuple[str, bytes]] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.submitted: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.doubled: set[str] = set()
        self.live = 0
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.stop: Callable[[str], None] = lambda what: None
        self.spoil: Callable[[str, _Handler], bool] = lambda what, handler: False
        self.expire: set[int] = set()  # the numbers of the batches, from 1, that expire with half their rows
        self.fail: dict[int, str] = {}  # and of those that fail, and why
        self._random = random.Random(seed)
        self._lock = threading.RLock()
        outer = self

        class Handler(_Handler):
            server_of = outer

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                return None  # callers that are killed go away

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> "BatchServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def rows(self, file: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.files[file][1].splitlines()]

    # ---- what it does ------------------------------------------------------------------------------------------------

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        with self._lock:
            made = f"file-{len(self.files) + 1}-{self._random.randrange(10**6)}"
            self.files[made] = (name, content)
            return self.file(made)

    def file(self, made: str) -> dict[str, Any]:
        name, content = self.files[made]
        return {"id": made, "object": "file", "bytes": len(content), "created_at": 4_000_000_000, "filename": name, "purpose": "batch"}

    def create(self, wish: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with self._lock:
            if wish["input_file_id"] not in self.files or wish["completion_window"] != "24h" or wish["endpoint"] != "/v1/chat/completions":
                return failure(400, "invalid_request_error")
            keys = [row["custom_id"] for row in self.rows(wish["input_file_id"])]
            number = len(self.batches) + 1
            live = {key for batch in self.batches.values() if batch["status"] in ("validating", "in_progress") for key in batch["keys"]}
            self.doubled |= live & set(keys)
            self.doubled |= {key for key, count in Counter(keys).items() if count > 1}
            self.submitted.update(keys)
            batch = {"id": f"batch_{number}", "object": "batch", "status": "validating", "looks": 0, "number": number, "keys": keys}
            batch |= {"created_at": 4_000_000_000, "output_file_id": None, "error_file_id": None, "errors": None, **wish}
            self.batches[batch["id"]] = batch
            return 200, self.shown(batch)

    def shown(self, batch: dict[str, Any]) -> dict[str, Any]:
        counts = batch.get("counts", {"total": len(batch["keys"]), "completed": 0, "failed": 0})
        return {**{name: value for name, value in batch.items() if name not in ("looks", "keys", "counts")}, "request_counts": counts}

    def look(self, batch: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            batch["looks"] += 1
            if batch["status"] == "validating":
                batch["status"] = "in_progress"
                if batch["number"] in self.fail or len(batch["keys"]) > self.most_rows:
                    code = self.fail.get(batch["number"], "token_limit_exceeded")
                    batch["errors"] = {"object": "list", "data": [{"code": code, "message": f"refused: {code}", "line": None}]}
                    batch["status"] = "failed"
            elif batch["status"] == "in_progress" and batch["looks"] > self.looks:
                self._finish(batch)
            return self.shown(batch)

    def _finish(self, batch: dict[str, Any]) -> None:
        rows = self.rows(batch["input_file_id"])
        self._random.shuffle(rows)
        expires = batch["number"] in self.expire
        done = rows[: len(rows) // 2] if expires else rows
        good, bad = [], []
        for row in done:
            status, body = self.answer(row["body"], row["custom_id"])
            said = {
                "id": "r",
                "custom_id": row["custom_id"],
                "response": {"status_code": status, "request_id": "q", "body": body},
                "error": None,
            }
            (good if status == 200 else bad).append(said)
        for row in rows[len(done) :]:
            error = {"code": "batch_expired", "message": "This request could not be executed before the completion window expired."}
            bad.append({"id": "r", "custom_id": row["custom_id"], "response": None, "error": error})
        for name, found in (("output_file_id", good), ("error_file_id", bad)):
            if found:
                content = b"".join(json.dumps(one).encode() + b"\n" for one in found)
                batch[name] = self.upload("answers.jsonl", content)["id"]
        batch["counts"] = {"total": len(rows), "completed": len(good), "failed": len(bad)}
        batch["status"] = "expired" if expires else "completed"

    def answer(self, body: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        with self._lock:
            before = self.asked[key]
            self.asked[key] += 1
        status, said = self.rule(text_of(body), before)
        if status == 200:
            self.paid[key] += 1
        return status, said


class _Handler(BaseHTTPRequestHandler):
    """What goes over the wire."""

    server_of: BatchServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        path = self._begin("POST")
        if self.server_of.spoil(f"POST {path}", self):
            return
        content = self.rfile.read(size)
        if path == "/files":
            _, body = content.split(b'name="file"', 1)
            name = re.search(rb'filename="([^"]+)"', body)
            boundary = content.split(b"\r\n", 1)[0]
            file = body.split(b"\r\n\r\n", 1)[1].split(b"\r\n" + boundary)[0]
            answer = 200, self.server_of.upload(name[1].decode() if name else "", file)
        elif path == "/batches":
            answer = self.server_of.create(json.loads(content))
        else:
            body = json.loads(content)
            answer = self.server_of.answer(body, str(hash(content)))
        self.server_of.stop(f"POST {path}")
        self._say(*answer)

    def do_GET(self) -> None:
        path, server = self._begin("GET"), self.server_of
        if server.spoil(f"GET {path}", self):
            return
        parts, query = path.strip("/").split("/"), parse_qs(urlsplit(self.path).query)
        if parts == ["files"]:
            self._list([server.file(made) for made in reversed(server.files)], query)
        elif parts == ["batches"]:
            self._list([server.shown(batch) for batch in reversed(server.batches.values())], query)
        elif parts[0] == "batches" and parts[1] in server.batches:
            self._say(200, server.look(server.batches[parts[1]]))
        elif parts[0] == "files" and parts[1] in server.files:
            self._give(server.files[parts[1]][1])
        else:
            self._say(*failure(404, "not_found"))

    def do_DELETE(self) -> None:
        path = self._begin("DELETE")
        if self.server_of.spoil(f"DELETE {path}", self):
            return
        made = path.rpartition("/")[2]
        found = self.server_of.files.pop(made, None)
        self._say(*((200, {"id": made, "object": "file", "deleted": True}) if found else failure(404, "not_found")))

    def _begin(self, method: str) -> str:
        path = urlsplit(self.path).path.removeprefix("/v1")
        self.server_of.requests.append(f"{method} {path}")
        self.server_of.headers.append(dict(self.headers))
        return path

    def _list(self, found: list[dict[str, Any]], query: dict[str, list[str]]) -> None:
        names = [one["id"] for one in found]
        start = names.index(query["after"][0]) + 1 if "after" in query else 0
        page = found[start : start + 3]  # short pages, so that there are several
        self._say(200, {"object": "list", "data": page, "has_more": start + 3 < len(found)})

    def _give(self, content: bytes) -> None:
        """A file, in two halves."""
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.server_of.stop("GET content")
        self.wfile.write(content[len(content) // 2 :])

    def _say(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, json.dumps(body).encode())

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        return None
