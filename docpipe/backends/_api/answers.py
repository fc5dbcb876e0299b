"""Answers that were paid for once: a folder of replies, asked before the API is. Off unless somebody makes one; knows no API.

A reply is kept under the hash of everything that could change it, the tenant included. The folder holds what documents say: a tenant's
answers lie in a folder of their own, which `forget` removes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import secrets
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from docpipe.backends import Question, Reply
from docpipe.records import Usage

if TYPE_CHECKING:
    from PIL.Image import Image

FORM = 1  # of what is hashed and kept; another number lets old answers be
MOST = 1_000_000_000  # bytes
STEP = 16  # a folder is looked through after every STEP-th part of the most that it may hold

log = logging.getLogger(__name__)


class Answers:
    """Replies in `folder`, of `most` bytes together, which processes side by side may exceed by a sixteenth each; what was not read for the
    longest time goes first.

    Safe to share between threads and processes. A reply that is damaged, or that cannot be written, is one that was never there."""

    def __init__(self, folder: Path, *, most: int = MOST) -> None:
        self._folder = folder
        self._most = most
        self._lock = threading.Lock()
        self._room = 0  # bytes that may be written until the folder is looked through

    def get(self, key: str, *, tenant: str) -> Reply | None:
        """What was answered to that, at no cost."""
        path = self._path(key, tenant)
        try:
            reply = Reply.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as problem:
            log.warning("a kept answer cannot be read: %s", type(problem).__name__, extra={"file": path.name})
            return None
        with contextlib.suppress(OSError):  # removed this moment: it was read all the same
            os.utime(path)
        return reply.model_copy(update={"usage": Usage(calls=0)})

    def put(self, key: str, reply: Reply, *, tenant: str) -> None:
        """Keep an answer. Only one that ended by itself is worth it."""
        if reply.stop != "end":
            return
        content = reply.model_dump_json().encode()
        try:
            write_private(self._path(key, tenant), content)
            self._make_room(len(content))
        except OSError as problem:  # a full disk is no reason to lose the answer
            log.warning("an answer is not kept: %s", problem.strerror, extra={"file": f"{key}.json"})

    def forget(self, *, tenant: str) -> None:
        """Remove all answers of a tenant. Raises OSError where that fails."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._home(tenant))

    def _home(self, tenant: str) -> Path:
        return self._folder / hashlib.sha256(tenant.encode()).hexdigest()[:32]

    def _path(self, key: str, tenant: str) -> Path:
        return self._home(tenant) / key[:2] / f"{key}.json"

    def _make_room(self, size: int) -> None:
        with self._lock:
            self._room -= size
            if self._room < 0:
                self._room = self._trim()

    def _trim(self) -> int:
        """Remove the oldest until a step is free; the bytes that may be written until the next time."""
        kept = sorted(_sizes(self._folder))
        room = self._most - sum(size for _, size, _ in kept)
        for _, size, path in kept:
            if room >= self._most // STEP:
                break
            path.unlink(missing_ok=True)
            room += size
        return min(room, self._most // STEP)


def answer_key(question: Question, *, model: str, revision: str | None, parameters: Mapping[str, Any], tenant: str) -> str:
    """The hash of everything that an answer depends on: pixels, texts, examples, schema, model and revision, how it decodes, for whom.

    `parameters` are what the call sets beside that, plain JSON: temperature, seed, detail, the host's address."""
    said = {
        "form": FORM,
        "tenant": tenant,
        "model": [model, revision],
        "parameters": dict(parameters),
        "texts": [question.system, question.text],
        "images": [_digest(image) for image in question.images],
        "shots": [[[_digest(image) for image in shot.images], shot.text, shot.answer] for shot in question.shots],
        "schema": json.dumps(question.schema and dict(question.schema)),  # unsorted: keys are answered in their order
        "most_tokens": question.most_tokens,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _digest(image: Image) -> list[Any]:
    return [image.mode, *image.size, hashlib.sha256(image.tobytes()).hexdigest()]


def write_private(path: Path, content: bytes, *, durable: bool = False) -> None:
    """The whole file or nothing, for nobody else to read; `durable`: on the disk once this returns. Raises OSError."""
    path.parent.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.mkdir(exist_ok=True, mode=0o700)
    unfinished = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    try:
        with unfinished.open("xb") as file:
            unfinished.chmod(0o600)
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        unfinished.replace(path)
        if durable:
            _sync(path.parent)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    """The folder's names on the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _sizes(folder: Path) -> list[tuple[float, int, Path]]:
    """When each file was last read, its bytes, and its path; unfinished ones that a dead process left behind too."""
    found = []
    for path in folder.glob("*/*/*"):
        with contextlib.suppress(FileNotFoundError):  # another process removes the oldest as well
            known = path.stat()
            found.append((known.st_mtime, known.st_size, path))
    return found
