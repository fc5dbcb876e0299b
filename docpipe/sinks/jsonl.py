"""All results as JSON Lines, in one file or on stdout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docpipe.output import draft_in, write_file, write_stdout, writing
from docpipe.records import Result
from docpipe.sinks import Sink


class JsonLines(Sink):
    """`target` is the file, or the folder that gets `results.jsonl`; without one each line goes to stdout as it comes.

    A line is the result as it stands in a file of its own, led by `file`: the name that tells documents of one base name apart. Of a file
    that holds several documents each has a line.
    """

    def __init__(self, target: Path | None) -> None:
        super().__init__(target)
        self._path = self.file("results.jsonl")
        if self._path is not None:
            self._draft = self.resources.enter_context(draft_in(self._path.parent))

    def write(self, result: Result[Any], *, name: str) -> None:
        for document in result.documents():
            self._write(document.to_json(indent=None), name)

    def _write(self, said: str, name: str) -> None:
        line = b'{"file":' + json.dumps(name, ensure_ascii=False).encode() + b"," + said.encode()[1:] + b"\n"
        if self._path is None:
            write_stdout(line)
        else:
            with writing(self._path):
                self._draft.write(line)

    def close(self) -> None:
        if self._path is not None:
            self._draft.seek(0)
            write_file(self._path, self._draft)
