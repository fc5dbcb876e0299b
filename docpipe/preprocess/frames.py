"""Messages between docpipe and its rendering process: a JSON object behind its length. JSON, as the sender may have been taken over."""

from __future__ import annotations

import json
import os
import select
import struct
import time
from typing import Any

LONGEST = 16 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class ClosedError(Exception):
    """The other side is gone."""


def send(handle: int, message: dict[str, Any]) -> None:
    """Write one message; raises ClosedError."""
    content = json.dumps(message).encode()
    data = memoryview(_LENGTH.pack(len(content)) + content)
    try:
        while data:
            data = data[os.write(handle, data) :]
    except OSError as problem:
        raise ClosedError from problem


def receive(handle: int, *, seconds: float | None = None) -> dict[str, Any]:
    """Read one message; raises ClosedError, or TimeoutError when it is not there after `seconds`."""
    deadline = None if seconds is None else time.monotonic() + seconds
    (length,) = _LENGTH.unpack(_read(handle, _LENGTH.size, deadline))
    if length > LONGEST:
        raise ClosedError
    message = json.loads(_read(handle, length, deadline))
    if not isinstance(message, dict):
        raise ClosedError
    return message


def _read(handle: int, size: int, deadline: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        if deadline is not None and not select.select([handle], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise TimeoutError
        part = os.read(handle, size - len(parts))
        if not part:
            raise ClosedError
        parts += part
    return bytes(parts)
