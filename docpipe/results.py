"""Results that lie in files: which of them belongs to a document. Knows files and results, no index."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from docpipe.errors import MismatchError, NotFoundError
from docpipe.records import Result


class Results:
    """The results below folders, such as that of `docpipe batch`, and in files, by the hash of the document they are about."""

    def __init__(self, places: Sequence[Path]) -> None:
        """Raises NotFoundError, and MismatchError for a named file that is no result; other files of a folder are passed over."""
        self._files: dict[str, Path] = {}
        for place in places:
            if not place.exists():
                raise NotFoundError("no such file or folder of results", file=place.name)
            for path in sorted(_files(place)):
                sha256 = _document_of(path)
                if sha256 is None and path == place:
                    raise MismatchError("this is not a result", file=path.name, hint="give what docpipe run or batch has written")
                if sha256 is not None:
                    self._files[sha256] = path

    def of(self, sha256: str) -> Result[Any] | None:
        """The document's result; the last that was found where there are several. Raises MismatchError where it is of another version."""
        path = self._files.get(sha256)
        if path is None:
            return None
        try:
            return Result[Any].model_validate_json(path.read_bytes())
        except ValidationError as problem:
            raise MismatchError("the result was made by another version", file=path.name, hint="read the document again") from problem


def _files(place: Path) -> Iterator[Path]:
    if not place.is_dir():
        yield place
        return
    for path in place.rglob("*.json"):
        if not any(part.startswith(".") for part in path.relative_to(place).parts):
            yield path


def _document_of(path: Path) -> str | None:
    """The hash that a file names as its document's; None where it is no result."""
    try:
        said = json.loads(path.read_bytes())
        return str(said["document"]["sha256"]) if "fields" in said else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
