"""Is everything here that docpipe needs, and does it work? One finding per part, each with what to do. Makes the ledger and the store where
there are none yet, and leaves nothing else behind."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from docpipe.errors import DocpipeError
from docpipe.records import Record

if TYPE_CHECKING:
    from docpipe.settings import Settings

PARTS = ("docpipe", "pymupdf", "onnxruntime", "rapidocr", "celery", "redis", "sqlalchemy", "psycopg", "fsspec", "torch", "transformers")


class Finding(Record):
    """What one part is like; `hint` says what to do where it is not well. Without `needed` nothing depends on it as things are."""

    part: str
    well: bool
    said: str
    hint: str = ""
    needed: bool = True


def examine(settings: Settings, *, backend: str | None = None) -> Iterator[Finding]:
    """Every part in turn: versions, OCR, ledger, store, broker, workers; and the model of `backend`, which is asked a few questions. Raises
    nothing."""
    yield Finding(part="versions", well=True, said=", ".join(_versions()))
    for part, look in (("ocr", _ocr), ("store", _store), ("ledger", _ledger), ("broker", _broker)):
        yield _guarded(part, look, settings)
    yield _guarded("workers", _workers, settings, needed=False)
    if backend is not None:
        yield from _model(backend, settings)


def _guarded(part: str, look: Callable[[Settings], str], settings: Settings, *, needed: bool = True) -> Finding:
    """What was found, or why it could not be looked at."""
    try:
        return Finding(part=part, well=True, said=look(settings), needed=needed)
    except DocpipeError as problem:
        return Finding(part=part, well=False, said=problem.message, hint=problem.hint, needed=needed)
    except ImportError as problem:
        return Finding(part=part, well=False, said=f"{problem.name} is not installed", hint="pip install 'docpipe[queue]'", needed=False)
    except Exception as problem:
        return Finding(part=part, well=False, said=f"{type(problem).__name__}: {problem}", hint="see docs/operations.md", needed=needed)


def _versions() -> Iterator[str]:
    for name in PARTS:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            continue


def _ocr(settings: Settings) -> str:
    import numpy as np

    from docpipe.words import load_ocr
    from docpipe.words.hangul import available

    load_ocr(settings.ocr, cache=settings.cache).read(np.full((64, 256), 255, np.uint8))
    korean = "Korean too" if available((settings.cache / "tessdata",)) else "Korean needs docpipe[tesseract] and tesseract-ocr-kor"
    return f"{settings.ocr} reads; {korean}"


def _store(settings: Settings) -> str:
    from docpipe.store import Store

    store, name = Store(settings.store), f"doctor/{secrets.token_hex(8)}"
    store.put(name, b"well")
    try:
        if store.read(name) != b"well":
            raise DocpipeError("it gives back something else than it was given", hint="look at DOCPIPE_STORE")
    finally:
        store.delete(name)
    free = store.free_bytes()
    if free is not None and free < settings.free_disk:
        raise DocpipeError(f"{free / 1e9:.1f} GB are free, fewer than are kept free", hint="make room, or lower DOCPIPE_FREE_DISK")
    return "writes and reads" + ("" if free is None else f", {free / 1e9:.1f} GB free")


def _ledger(settings: Settings) -> str:
    from docpipe.ledger import counts, open_ledger

    ledger = open_ledger(settings.ledger)
    try:
        found = counts(ledger)
    finally:
        ledger.close()
    lost = sum(count for (_, state), count in found.items() if state == "quarantined")
    waiting = sum(found.values()) - lost
    return f"{ledger.url.get_backend_name()}, {waiting} items to do, {lost} given up"


def _broker(settings: Settings) -> str:
    import redis

    client = redis.Redis.from_url(settings.broker, socket_timeout=5, socket_connect_timeout=5)
    try:
        server = client.info("server")["redis_version"]
        policy = client.info("memory").get("maxmemory_policy", "noeviction")
    except redis.RedisError as problem:
        raise DocpipeError(f"does not answer: {problem}", hint="start Redis, or look at DOCPIPE_BROKER") from problem
    finally:
        client.close()
    if policy != "noeviction":
        raise DocpipeError(f"Redis {server} may evict messages ({policy})", hint="set its maxmemory-policy to noeviction")
    return f"Redis {server}"


def _model(name: str, settings: Settings) -> Iterator[Finding]:
    from docpipe.backends import load_backend
    from docpipe.backends._probe import probe

    try:
        with contextlib.closing(load_backend(name, settings.model)) as backend:
            found = probe(backend)
    except DocpipeError as problem:
        yield Finding(part="model", well=False, said=problem.message, hint=problem.hint)
        return
    well = not found.advice and not found.problems
    yield Finding(part="model", well=well, said=f"{found.model or name}: {found}", hint="; ".join((*found.advice, *found.problems)))


def _workers(settings: Settings) -> str:
    from docpipe.ledger import LANES, open_ledger
    from docpipe.ledger.workers import live_slots

    ledger = open_ledger(settings.ledger)
    try:
        with ledger.read() as tx:
            slots = live_slots(tx)
    finally:
        ledger.close()
    missing = [lane for lane in LANES if not slots[lane]]
    if {"prepare", "merge", "alone"} & set(missing):
        raise DocpipeError(f"nobody serves {', '.join(missing)}", hint="start workers for these lanes; docs/operations.md has the commands")
    return ", ".join(f"{lane} {slots[lane]}" for lane in LANES if slots[lane])
