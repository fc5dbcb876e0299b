"""Where results go. The seam that every sink fills, one file beside this one each; knows records and errors only."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from docpipe import plugins
from docpipe.records import Result

HOME = Path(__file__).resolve().parent


class Sink(ABC):
    """Takes the results of one call, one by one, in order: `with load_sink(...) as sink: sink.write(...)`.

    `target` is a folder that exists, a file to write, or None for stdout.
    """

    def __init__(self, target: Path | None) -> None:
        self.target = target
        self.resources = contextlib.ExitStack()

    @abstractmethod
    def write(self, result: Result[Any], *, name: str) -> None:
        """Take one result; `name` tells the call's documents apart (a path as typed, or below the batch's folder)."""

    def close(self) -> None:  # noqa: B027 - most sinks have nothing left to do
        """Finish what was taken. Not called where the call was cut short; `resources` are released in any case."""

    def file(self, default: str) -> Path | None:
        """The target itself, or in a folder the file `default`; None for stdout."""
        return self.target / default if self.target is not None and self.target.is_dir() else self.target

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self.resources:
            if kind is None:
                self.close()


def load_sink(reference: str, target: Path | None) -> Sink:
    """The sink that `reference` names, opened on `target`."""
    return plugins.load(reference, Sink, HOME)(target)  # type: ignore[type-abstract]
