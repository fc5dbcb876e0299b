"""A page and its words -> a Reading. The seam that every engine fills; knows none of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel

from docpipe import plugins
from docpipe.backends import ModelOptions
from docpipe.records import DEFAULT_BACKEND, Failure, Job, Page, Reading
from docpipe.workspace import Workspace

HOME = Path(__file__).resolve().parent


class Engine(ABC):
    """One way to read. `scope` says whether `read` gets one page at a time or all of them together; one that reads page by page is a
    tier of the cascade, `lane` says what the queue runs it on: this machine's GPU, or somebody's API; and where it `needs_image`, its
    pages come with one. Up to `together` pages are read at a time, in as many threads."""

    name: ClassVar[str]
    scope: ClassVar[Literal["page", "document"]]
    lane: Literal["gpu", "api"] = "gpu"
    needs_image: ClassVar[bool] = False
    together: int = 1

    def use(self, backend: str, model: ModelOptions, *, on_hang: Callable[[], None]) -> None:
        """Told once, before anything is read, which backend and model to ask, and what to call where the model hangs in a call that nobody
        can end (`Backend.on_hang`); an engine without a model need not listen. Raises UsageError for a backend that does not exist."""
        return None

    @abstractmethod
    def read(self, pages: Sequence[Page], schema: type[BaseModel], *, job: Job, space: Workspace) -> Reading | Failure:
        """Candidates for the schema's fields from these pages and the files preprocessing left in `space`.

        Raises EngineError or PageError, or gives a Failure where it has to say what was spent in vain; a field that is not found has no
        candidate. A UsageError is not about these pages: nothing more is read.
        """


def load_engine(
    reference: str, *, backend: str = DEFAULT_BACKEND, model: ModelOptions | None = None, on_hang: Callable[[], None] = lambda: None
) -> Engine:
    """The engine that `reference` names; where it asks a model, that one. A model that hangs calls `on_hang`."""
    engine = plugins.load(reference, Engine, HOME)()  # type: ignore[type-abstract]
    engine.use(backend, model or ModelOptions(), on_hang=on_hang)
    return engine
