"""A chat server on 127.0.0.1 that allows so many requests a second, and that can be taken away and brought back at its address."""

import json
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Limited:
    """Answers each question with `text`, after `takes` seconds; above `per_second` within any second with 429. `answered` are the times of
    its answers, `refused` counts the others, `most` those at a time."""

    def __init__(self, text: str, *, per_second: int, takes: float = 0.1) -> None:
        self.text, self.per_second, self.takes = text, per_second, takes
        self.answered: list[float] = []
        self.refused = self.most = self._at_work = 0
        self._recent: deque[float] = deque()
        self._lock = threading.Lock()
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def start(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, body = outer.reply()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_) -> None:
                return None

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_) -> None:
                return None  # whoever asked has hung up

        self._server = Server(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def reply(self) -> tuple[int, dict[str, str], bytes]:
        if not self._allows():
            return 429, {"Retry-After": "1"}, json.dumps({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}).encode()
        with self._lock:
            self._at_work += 1
            self.most = max(self.most, self._at_work)
        time.sleep(self.takes)
        with self._lock:
            self._at_work -= 1
            self.answered.append(time.monotonic())
        said = {"index": 0, "message": {"role": "assistant", "content": self.text}, "finish_reason": "stop"}
        return 200, {}, json.dumps({"model": "m", "choices": [said], "usage": {"prompt_tokens": 900, "completion_tokens": 50}}).encode()

    def _allows(self) -> bool:
        """Counted as providers do: over the last second, at any moment."""
        with self._lock:
            now = time.monotonic()
            while self._recent and self._recent[0] <= now - 1:
                self._recent.popleft()
            if len(self._recent) >= self.per_second:
                self.refused += 1
                return False
            self._recent.append(now)
            return True

    def rate(self) -> float:
        """Answers a second, from the first to the last."""
        return (len(self.answered) - 1) / (self.answered[-1] - self.answered[0])
