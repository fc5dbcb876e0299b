"""What a file is, by its content and never by its name: format, size, hash. Opens no document."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path

from docpipe.errors import DamagedError, EmptyError, NotFoundError, TooLargeError, UnsupportedError
from docpipe.limits import Limits
from docpipe.preprocess.formats import HEAD, recognize
from docpipe.preprocess.mark import Mark, mark_of
from docpipe.records import Document

MOST_KNOWN = 256  # files whose hash is remembered
_known: dict[Mark, str] = {}


def identify(path: Path, limits: Limits | None = None, *, formats: Sequence[str] = ()) -> Document:
    """The file's base name, sha256 and media type; `pages` stays 0 until it is opened. `formats` are references of a user's own.

    Raises NotFoundError, TooLargeError (before reading it), EmptyError (no bytes), UnsupportedError.
    """
    return identify_format(path, limits or Limits(), formats)[1]


def identify_format(path: Path, limits: Limits, formats: Sequence[str] = ()) -> tuple[str, Document]:
    """The reference of the format that reads the file, and what `identify` says. This process hashes a file once, and again when its `Mark`
    is another one."""
    name = path.name
    size = _size(path)
    if size > limits.file_bytes:
        raise TooLargeError(f"{size} bytes, the limit is {limits.file_bytes} (DOCPIPE_MAX_BYTES)", file=name)
    if size == 0:
        raise EmptyError("the file has no bytes", file=name)
    try:
        with path.open("rb") as file:
            found = recognize(file.read(HEAD), formats)
            digest = _digest(file)
    except OSError as problem:
        raise DamagedError(f"cannot be read: {problem.strerror}", file=name) from problem
    if found is None:
        raise UnsupportedError(
            "not a PDF, an image or an e-invoice XML by its content", file=name, hint="convert it to PDF, PNG, JPEG or TIFF"
        )
    reference, media_type = found
    return reference, Document(name=name, sha256=digest, media_type=media_type)


def _digest(file: BufferedReader) -> str:
    """The sha256 of an open file."""
    mark = mark_of(os.fstat(file.fileno()))
    if mark in _known:
        return _known[mark]
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    if mark_of(os.fstat(file.fileno())) == mark:  # nobody wrote to it meanwhile
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[mark] = digest
    return digest


def guess_format(path: Path) -> str | None:
    """The reference of the built-in format that seems to read the file; None where there is none, or no file to look into."""
    try:
        if not path.is_file():  # a pipe would be emptied, or waited for
            return None
        with path.open("rb") as file:
            found = recognize(file.read(HEAD))
    except OSError:
        return None
    return found[0] if found else None


def _size(path: Path) -> int:
    try:
        if not path.is_file():
            raise NotFoundError("no such file" if not path.exists() else "not a file", file=path.name)
        return path.stat().st_size
    except OSError as problem:
        raise NotFoundError(f"cannot be reached: {problem.strerror}", file=path.name) from problem
