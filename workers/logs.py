"""Logs as JSON, one object a line, with tenant, job, kind, page, index and fence of the item that it is about. No text of a document is
ever logged."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

from docpipe.telemetry import about

_OWN = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "data"})


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, the item that its thread is doing, whatever `extra` says, and a traceback
    where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **about(),
            **{name: value for name, value in vars(record).items() if name not in _OWN},
        }
        if record.exc_info:
            line["traceback"] = _where(record.exc_info[1]) if about() else self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _where(problem: BaseException | None) -> str:
    """A traceback without the words of what was raised: of an item's, they may quote its document."""
    lines: list[str] = []
    while problem is not None:
        lines = [*traceback.format_tb(problem.__traceback__), f"{type(problem).__qualname__}\n", *lines]
        problem = problem.__cause__ or (None if problem.__suppress_context__ else problem.__context__)
    return "".join(lines)


def log_as_json(level: int) -> None:
    """Let every logger of this process write to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
