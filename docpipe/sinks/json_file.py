"""Each result as one JSON file, or as one object on stdout."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from docpipe.output import write_file, write_stdout
from docpipe.records import Result
from docpipe.sinks import Sink

_LONGEST = 200  # bytes of a file name before it is cut: file systems take 255, and suffixes are still to come


class JsonFile(Sink):
    """`target` is the file, or the folder that gets `NAME.json` for every document NAME.

    In a folder no document's result replaces another's: where `NAME.json` is taken, the next is `NAME~2.json`.
    """

    def __init__(self, target: Path | None) -> None:
        super().__init__(target)
        self._used: set[Path] = set()

    def write(self, result: Result[Any], *, name: str) -> None:
        content = (result.to_json() + "\n").encode()
        if self.target is None:
            write_stdout(content)
        else:
            write_file(self._place(self.target, result, Path(name).name) if self.target.is_dir() else self.target, content)

    def _place(self, folder: Path, result: Result[Any], name: str) -> Path:
        """The first free name; a file of an earlier call is free where it is about the same document."""
        number, path = 1, folder / json_name(name)
        while path in self._used or ((path.exists() or path.is_symlink()) and _document_of(path) != result.document.sha256):
            number += 1
            path = folder / json_name(f"{name}~{number}")
        self._used.add(path)
        return path


def json_name(name: str) -> str:
    """`invoice.pdf` -> `invoice.pdf.json`; a very long name is cut, its hash keeping it apart from others."""
    encoded = name.encode(errors="surrogateescape")
    if len(encoded) > _LONGEST:
        name = f"{encoded[: _LONGEST - 40].decode(errors='ignore')}~{hashlib.sha256(encoded).hexdigest()[:16]}"
    return f"{name}.json"


def _document_of(path: Path) -> str | None:
    """The hash of the document that the result in `path` is about, if it is one."""
    try:
        return str(json.loads(path.read_bytes())["document"]["sha256"])
    except (ValueError, KeyError, TypeError, OSError):
        return None
