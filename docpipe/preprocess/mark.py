"""Whether a file is still the one that was looked at, by what the system notes of it. Reads none of its content."""

from __future__ import annotations

import os
from typing import NamedTuple


class Mark(NamedTuple):
    """Device, inode, size, and the times of the last write and the last change of any kind. Another file in its place has another mark,
    and so has one that was written to later than the system's clock ticks (some milliseconds): the last time no program can set."""

    device: int
    inode: int
    size: int
    written: int
    changed: int


def mark_of(status: os.stat_result) -> Mark:
    """Of a file, by its `stat` or `fstat`."""
    return Mark(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
