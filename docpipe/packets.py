"""A file that holds several documents: where each begins and what it is, and each as a file of its own. Knows the order of the steps."""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from docpipe.classify import THRESHOLD, DocumentClass, PageVerdict, Verdict, vote_document
from docpipe.errors import DocpipeError, UsageError
from docpipe.limits import Limits
from docpipe.output import write_file, writing
from docpipe.preprocess import copy_pages, identify, preprocess, render
from docpipe.records import Document, Job, Page, Part, Record, SchemaRef, Words
from docpipe.request import Request
from docpipe.sorting import DEFAULT_CLASSIFIERS, judge_pages, load_classifiers
from docpipe.source import readable
from docpipe.splitting import SEPARATORS, Code, Plan, Sheet, codes_of, cut, wants_codes
from docpipe.words import load_ocr, load_words
from docpipe.workspace import Workspace, temporary

SUFFIXES = {"application/pdf": (".pdf",), "image/tiff": (".tif", ".tiff")}
log = logging.getLogger(__name__)


class Packet(Record):
    """A file, the documents in it and what each is: `verdicts` go with `parts`. `pages` are the verdicts of all pages looked at."""

    document: Document
    plan: str
    parts: tuple[Part, ...]
    between: tuple[int, ...]
    verdicts: tuple[Verdict, ...]
    pages: tuple[PageVerdict, ...]


def split_document(
    path: Path,
    request: Request,
    classes: Sequence[DocumentClass],
    plan: Plan,
    *,
    classifiers: Sequence[str] = DEFAULT_CLASSIFIERS,
    threshold: float = THRESHOLD,
    separators: Sequence[str] = SEPARATORS,
    password: str | None = None,
) -> Packet:
    """Where the documents in the file begin, and what each is. Of `request` counts what `sort_document` says.

    Raises UsageError where the plan names pages that are not there, and what `sort_document` raises.
    """
    with contextlib.ExitStack() as stack:
        votes = load_classifiers(classifiers, request, stack)
        source, space = stack.enter_context(readable(path)), stack.enter_context(temporary())
        job = _job(source, request)
        job, pages = preprocess(job, space=space, limits=request.limits, password=password)
        ocr = load_ocr(request.options.ocr, cache=request.cache)
        judged = judge_pages(
            job, pages, classes, votes, ocr=ocr, space=space, limits=request.limits, threshold=threshold, password=password
        )
        split = cut(
            sheets(job, pages, judged, space=space, limits=request.limits, password=password, codes=plan.kind == "auto"),
            plan,
            separators=separators,
        )
        by_page = {verdict.page: verdict for verdict in judged}
        return Packet(
            document=job.document.model_copy(update={"name": path.name}),
            plan=str(plan),
            parts=split.parts,
            between=split.between,
            verdicts=tuple(vote_document([by_page[number] for number in part.pages], threshold=threshold) for part in split.parts),
            pages=tuple(judged),
        )


def sheets(
    job: Job,
    pages: Iterable[Page],
    verdicts: Iterable[PageVerdict],
    *,
    space: Workspace,
    limits: Limits,
    password: str | None = None,
    codes: bool = True,
) -> Iterator[Sheet]:
    """What `cut` looks at, one page after the other: the words that lie in `space`, and the codes of pages that print little else."""
    for page, verdict in zip(pages, verdicts, strict=True):
        words = load_words(page, space) or Words(page=page.number, width=page.width, height=page.height, source="none")
        seen = _codes(page, job=job, space=space, limits=limits, password=password) if codes and wants_codes(page, words) else ()
        yield Sheet(page, words, verdict, seen)


def _codes(page: Page, *, job: Job, space: Workspace, limits: Limits, password: str | None) -> tuple[Code, ...]:
    """A page that cannot be drawn shows no code, and is no separator."""
    from PIL import Image

    try:
        drawn = render(page, job=job, space=space, limits=limits, password=password)
    except DocpipeError as problem:
        log.warning("page %d: not looked at for codes: %s", page.number, problem.message)
        return ()
    if drawn.image is None:
        return ()
    with Image.open(space.path(drawn.image)) as image:
        return codes_of(image, dpi=drawn.dpi or job.options.dpi)


def part_paths(path: Path, packet: Packet, folder: Path) -> tuple[Path, ...]:
    """Where the parts of the file go: `NAME.1.pdf` and so on."""
    return tuple(folder / f"{path.stem}.{part.number}{_suffix(path, packet)}" for part in packet.parts)


def write_parts(
    path: Path, packet: Packet, folder: Path, request: Request, *, password: str | None = None, replace: bool = False
) -> tuple[Path, ...]:
    """Write each part as a file of its own; returns where. Pages are copied as they are. A part that is the whole file is its copy.

    Raises UsageError, before anything is written, where a file is there already and may not be replaced; MismatchError where the packet has
    changed; UnsupportedError for a format whose pages cannot be copied.
    """
    targets = part_paths(path, packet, folder)
    if taken := next((target for target in targets if target.exists() and (not replace or target.samefile(path))), None):
        raise UsageError("there already", file=taken.name, hint="choose another --out, or replace what is there with --replace")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with readable(path) as source, temporary() as space:
        job = _job(source, request)
        job = job.model_copy(update={"document": job.document.model_copy(update={"sha256": packet.document.sha256})})
        for part, target in zip(packet.parts, targets, strict=True):
            draft = space.path("part")
            if part.pages == tuple(range(1, packet.document.pages + 1)):
                shutil.copyfile(source, draft)
            else:
                copy_pages(job, part.pages, draft, limits=request.limits, password=password)
            with draft.open("rb") as content:
                write_file(target, content)
    return targets


def _job(source: Path, request: Request) -> Job:
    document = identify(source, request.limits, formats=request.options.formats)
    return Job(id="split", source=source, document=document, schema_ref=SchemaRef(name="", sha256=""), options=request.options)


def _suffix(path: Path, packet: Packet) -> str:
    """The file's own where it fits its content or its content cannot be cut."""
    usual = SUFFIXES.get(packet.document.media_type, (path.suffix,))
    return path.suffix if path.suffix.lower() in usual else usual[0]
