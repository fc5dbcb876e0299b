"""docpipe from Python: a file in, a Result out. Knows how a job is put together from a call's wishes; the work itself is the pipeline's."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from pydantic import BaseModel, ValidationError

from docpipe import pipeline, plugins
from docpipe.errors import DocpipeError, MismatchError, NotFoundError, ResourceError, UsageError, is_exhausted
from docpipe.extract import load_engine
from docpipe.fields import BUILT_IN, DEFAULT_SCHEMA, is_auto, load_schema, schema_ref
from docpipe.preprocess import identify, warm_up
from docpipe.records import Account, Job, Readings, Result, SchemaRef
from docpipe.request import Request, job_id, make_request
from docpipe.settings import Settings, read_settings
from docpipe.source import readable
from docpipe.validate import validate
from docpipe.words import load_ocr
from docpipe.workspace import Workspace, claimed, temporary

if TYPE_CHECKING:
    from docpipe.routing import Router

S = TypeVar("S", bound=BaseModel)


@overload
def run(
    path: str | Path,
    schema: type[S],
    *,
    engines: Sequence[str] | None = None,
    ocr: str | None = None,
    backend: str | None = None,
    languages: Sequence[str] | None = None,
    pages: Sequence[int] = (),
    formats: Sequence[str] = (),
    dpi: int | None = None,
    split: str | None = None,
    classifiers: Sequence[str] | None = None,
    password: str | None = None,
    work: str | Path | None = None,
    settings: Settings | None = None,
) -> Result[S]: ...


@overload
def run(
    path: str | Path,
    schema: str = DEFAULT_SCHEMA,
    *,
    engines: Sequence[str] | None = None,
    ocr: str | None = None,
    backend: str | None = None,
    languages: Sequence[str] | None = None,
    pages: Sequence[int] = (),
    formats: Sequence[str] = (),
    dpi: int | None = None,
    split: str | None = None,
    classifiers: Sequence[str] | None = None,
    password: str | None = None,
    work: str | Path | None = None,
    settings: Settings | None = None,
) -> Result[Any]: ...


def run(
    path: str | Path,
    schema: type[BaseModel] | str = DEFAULT_SCHEMA,
    *,
    engines: Sequence[str] | None = None,
    ocr: str | None = None,
    backend: str | None = None,
    languages: Sequence[str] | None = None,
    pages: Sequence[int] = (),
    formats: Sequence[str] = (),
    dpi: int | None = None,
    split: str | None = None,
    classifiers: Sequence[str] | None = None,
    password: str | None = None,
    work: str | Path | None = None,
    settings: Settings | None = None,
) -> Result[Any]:
    """Read one document. `result.data` is an instance of the schema where it validates, else the plain JSON object.

    `schema` is a class, a built-in name, `module:Class` or `path.py:Class`, or `auto` or `auto:A,B` for the one that fits the document;
    `engines`, `ocr`, `formats` (further input formats) and `backend` (what asks the model, for the engine `vlm`) are references of the
    same three kinds, and so are the `classifiers` that say what a page is. `pages` are 1-based, empty = all. `split` cuts a file into its
    documents, `auto`, `every:N` or `pages:1-3,4-9`: their results are the result's `parts`. `work` keeps every intermediate file. What is
    None comes from `settings`, and those from the environment. Raises DocumentError where the document cannot be opened and UsageError
    where the call makes no sense.
    """
    request = make_request(
        settings or read_settings(),
        engines=engines,
        ocr=ocr,
        backend=backend,
        languages=languages,
        pages=pages,
        formats=formats,
        dpi=dpi,
        split=split,
        classifiers=classifiers,
    )
    warm_up([Path(path)])
    return open_reader(schema, request).read(path, password=password, work=work)


def open_reader(schema: type[BaseModel] | str, request: Request) -> Reader[Any] | Router:
    """Who reads documents with that schema, or chooses theirs, or cuts files into documents. Raises UsageError."""
    if not (isinstance(schema, str) and is_auto(schema)) and request.options.split == "never":
        return Reader(schema, request)
    from docpipe.routing import Router

    return Router(schema, request)


def revalidate(readings: Readings | str | Path, schema: type[BaseModel] | str | None = None) -> Result[Any]:
    """The result again, from the readings that a run kept; the document is not needed.

    Without `schema`: the built-in one the readings were made with, which must still say the same. Any other must be given: a file of
    readings may come from anywhere, and no code is imported because it says so. Raises UsageError or MismatchError.
    """
    if not isinstance(readings, Readings):
        readings = _load_readings(Path(readings))
    job = readings.job
    found, ref = _schema(_built_in(job.schema_ref.name) if schema is None else schema)
    if schema is None and ref.sha256 != job.schema_ref.sha256:
        raise MismatchError(f"the schema {ref.name} has changed since the readings were made", hint="name it with --schema to judge by it")
    job = job.model_copy(update={"schema_ref": ref, "id": job_id(job.document, ref, job.options)})
    return validate(readings.model_copy(update={"job": job}), found)


class Reader(Generic[S]):
    """Reads one document after the other with one schema. Made once per process: the engines load their models at the first document."""

    @overload
    def __init__(self, schema: type[S], request: Request | None = None) -> None: ...

    @overload
    def __init__(self: Reader[Any], schema: str = DEFAULT_SCHEMA, request: Request | None = None) -> None: ...

    def __init__(self, schema: type[BaseModel] | str = DEFAULT_SCHEMA, request: Request | None = None) -> None:
        """Without a request, the environment's settings hold; its own schema name is not looked at.

        Raises UsageError for a schema or an engine that does not exist, MissingError for one that is not installed.
        """
        warm_up()
        request = request or make_request(read_settings())
        found, self.schema_ref = _schema(schema)
        self.schema = cast(type[S], found)
        self.options = request.options
        self.limits = request.limits
        backend = request.options.backend
        self.engines = [load_engine(name, backend=backend, model=request.model) for name in request.options.engines]
        self.ocr = load_ocr(request.options.ocr, cache=request.cache)

    def read(self, path: str | Path, *, password: str | None = None, work: str | Path | None = None) -> Result[S]:
        """One document's result; every DocpipeError it raises names the file. `work` is the folder to keep every intermediate in."""
        with self.begun(path, self.schema_ref, work=work) as (job, space):
            return pipeline.run(job, self.schema, engines=self.engines, ocr=self.ocr, space=space, limits=self.limits, password=password)

    @contextlib.contextmanager
    def begun(self, path: str | Path, ref: SchemaRef, *, work: str | Path | None) -> Iterator[tuple[Job, Workspace]]:
        """The document as a job to be read with that schema, and where its files go; errors from inside the block name the file."""
        with _naming(Path(path)), contextlib.ExitStack() as stack:
            source = stack.enter_context(readable(Path(path)))
            document = identify(source, self.limits, formats=self.options.formats)
            key, account = job_id(document, ref, self.options), Account(job=uuid.uuid4().hex)
            job = Job(id=key, source=source, document=document, schema_ref=ref, options=self.options, account=account)
            yield job, stack.enter_context(temporary()) if work is None else claimed(Path(work), job)


def _schema(schema: type[BaseModel] | str) -> tuple[type[BaseModel], SchemaRef]:
    return load_schema(schema) if isinstance(schema, str) else (schema, schema_ref(schema))


def _built_in(name: str) -> str:
    """The name again, if it is of a built-in schema. Raises UsageError."""
    if name not in plugins.names(BUILT_IN):
        raise UsageError(f"the readings were made with {name!r}, which is no built-in schema", hint="give it with --schema")
    return name


def _load_readings(path: Path) -> Readings:
    try:
        return Readings.model_validate_json(path.read_bytes())
    except OSError as problem:
        raise NotFoundError(f"cannot be read: {problem.strerror}", file=path.name) from problem
    except ValidationError as problem:
        raise MismatchError("this is not a file of readings", file=path.name, hint="give the readings.json of a --work folder") from problem


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Errors that leave here name the file; memory and disk that ran out are a ResourceError."""
    try:
        yield
    except DocpipeError as problem:
        problem.file = problem.file or path.name
        raise
    except (MemoryError, OSError) as problem:
        if not is_exhausted(problem):
            raise
        said = problem.strerror if isinstance(problem, OSError) else "out of memory"
        raise ResourceError(str(said), file=path.name) from problem
