"""A provider's side of batches: files up and down, batches made, found and looked at. One call each, none is repeated. Knows no page.

https://platform.openai.com/docs/api-reference/batch. Answers are read as they come, whatever of them the SDK has a name for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from docpipe.backends._api.client import Server
from docpipe.backends._api.errors import Complained
from docpipe.backends._api.rows import endpoint
from docpipe.backends._api.spool import Said
from docpipe.errors import AnswerError, DocpipeError, OutboundError

LONG = 3600.0  # seconds that 200 MB may take, up or down
SHORT = 60.0  # any other call
ANSWER = 8_000_000  # bytes of any other answer
LINE = 64_000_000  # of one row's answer: 16384 tokens with what is said of each
PAGE = 100  # batches or files in one look at the list, the most there are
PAGES = 100
CLOCKS = 86400.0  # seconds by which two clocks may differ


class _Heard(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Problem(_Heard):
    """Why a batch was not taken."""

    code: str | None = None
    message: str | None = None


class _Problems(_Heard):
    data: list[Problem] | None = None


class _Counts(_Heard):
    completed: int = 0
    failed: int = 0


class State(_Heard):
    """A batch as the server sees it."""

    id: str
    status: str
    created_at: float = 0.0
    input_file_id: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    errors: _Problems | None = None
    request_counts: _Counts | None = None

    @property
    def is_over(self) -> bool:
        """Nothing more happens to it."""
        return self.status in ("completed", "failed", "expired", "cancelled")

    @property
    def problem(self) -> Problem:
        """Why it was not taken."""
        return next(iter((self.errors and self.errors.data) or ()), Problem())

    @property
    def answered(self) -> int:
        """How many of its questions have come to an end."""
        return self.request_counts.completed + self.request_counts.failed if self.request_counts else 0


class _File(_Heard):
    id: str
    filename: str = ""
    bytes: int = 0
    created_at: float = 0.0


class _States(_Heard):
    data: list[State] = Field(default_factory=list)
    has_more: bool = False


class _Files(_Heard):
    data: list[_File] = Field(default_factory=list)
    has_more: bool = False


class _Response(_Heard):
    status_code: int
    body: Any = None


class _Row(_Heard):
    custom_id: str
    response: _Response | None = None
    error: dict[str, Any] | None = None


Shape = TypeVar("Shape", bound=BaseModel)


class Provider:
    """Calls to one server. Each raises BusyError, DeadlineError, OutboundError, AnswerError and MissingError."""

    def __init__(self, server: Server, *, azure: bool) -> None:
        self._server = server
        self._endpoint = endpoint(azure=azure)

    def upload(self, path: Path) -> str:
        """The id of the file, now the server's too."""
        with self._calling(seconds=LONG) as client, path.open("rb") as file:
            answer = client.files.with_raw_response.create(file=(path.name, file, "application/jsonl"), purpose="batch")
            return self._read(_File, answer.content).id

    def find_upload(self, path: Path, *, since: float) -> str | None:
        """The id of the file, where it did arrive whole."""

        def page(client: Any, after: dict[str, str]) -> Any:
            return client.files.with_raw_response.list(purpose="batch", order="desc", limit=PAGE, **after)

        size = path.stat().st_size
        return next((one.id for one in self._listed(_Files, page, since) if (one.filename, one.bytes) == (path.name, size)), None)

    def create(self, file: str, *, name: str) -> State:
        """The batch of an uploaded file; `name` is what the provider's own pages show of it."""
        with self._calling() as client:
            answer = client.batches.with_raw_response.create(
                completion_window="24h", endpoint=self._endpoint, input_file_id=file, metadata={"docpipe": name}
            )
            return self._read(State, answer.content)

    def find(self, file: str, *, since: float) -> State | None:
        """The batch of an uploaded file, where there is one."""

        def page(client: Any, after: dict[str, str]) -> Any:
            return client.batches.with_raw_response.list(limit=PAGE, **after)

        return next((one for one in self._listed(_States, page, since) if one.input_file_id == file), None)

    def state(self, batch: str) -> State:
        """How the batch is."""
        with self._calling() as client:
            return self._read(State, client.batches.with_raw_response.retrieve(batch).content)

    def rows(self, file: str, *, largest: int) -> Generator[tuple[str, Said], None, None]:
        """The rows of a file of answers or errors, as they come: the question's key and what was said of it."""
        with self._calling(seconds=LONG, largest=largest) as client, client.files.with_streaming_response.content(file) as answer:
            for line in _lines(answer.iter_bytes(), self._server.host):
                yield self._row(line)

    def delete(self, file: str) -> None:
        """The file is the server's no longer; one that is gone already is no error."""
        try:
            with self._calling() as client:
                client.files.with_raw_response.delete(file)
        except AnswerError as problem:
            if problem.status != 404:
                raise

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def _listed(self, shape: type[Any], page: Any, since: float) -> Iterator[Any]:
        """Everything on a list, newest first, that may be younger than `since` by this machine's clock."""
        after: dict[str, str] = {}
        for _ in range(PAGES):
            with self._calling() as client:
                found = self._read(shape, page(client, after).content)
            for one in found.data:
                if one.created_at < since - CLOCKS:
                    return
                yield one
            if not found.has_more or not found.data:
                return
            after = {"after": found.data[-1].id}

    def _row(self, line: bytes) -> tuple[str, Said]:
        row = self._read(_Row, line)
        if row.response is None:
            return row.custom_id, Said(status=0, body={"error": row.error or {}})
        body = row.response.body
        return row.custom_id, Said(status=row.response.status_code, body=body if isinstance(body, dict) else {})

    def _read(self, shape: type[Shape], content: bytes) -> Shape:
        try:
            return shape.model_validate_json(content)
        except ValidationError as problem:
            first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
        host, where = self._server.host, ".".join(map(str, first["loc"]))
        if first["type"] == "json_invalid" and shape is _Row:
            raise OutboundError(f"{host}: a batch's file broke off within a row")
        raise AnswerError(f"{host}: this is not what batches answer: {where}: {first['msg']}", hint="does the server have batches?")

    @contextlib.contextmanager
    def _calling(self, *, seconds: float = SHORT, largest: int = ANSWER) -> Iterator[Any]:
        try:
            with self._server.calling(seconds=seconds, largest=largest) as client:
                yield client
        except Complained as problem:
            raise self.error(problem) from None

    def error(self, problem: Complained) -> DocpipeError:
        """A complaint as an error, without the key."""
        return problem.complaint.error(self._server.host, secret=self._server.secret)


def _lines(chunks: Iterable[bytes], host: str) -> Iterator[bytes]:
    """The lines that say something, none longer than LINE."""
    rest = b""
    for chunk in chunks:
        *lines, last = (rest + chunk).split(b"\n") if b"\n" in chunk else (rest + chunk,)
        yield from filter(bytes.strip, lines)
        rest = last
        if len(rest) > LINE:
            raise AnswerError(f"{host}: a row of a batch's file does not end within the bytes that it may have", hint="look at the server")
    if rest.strip():
        yield rest
