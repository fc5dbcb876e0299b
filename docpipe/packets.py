"""A file that holds several documents: where each begins and what it is, and each as a file of its own. Knows the order of the steps."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from docpipe.classify import THRESHOLD, DocumentClass, PageVerdict, Verdict, vote_document
from docpipe.errors import UsageError
from docpipe.output import write_file, writing
from docpipe.preprocess import copy_pages, preprocess
from docpipe.records import Document, Part, Record
from docpipe.request import Request
from docpipe.sorting import DEFAULT_CLASSIFIERS, PageJudge, load_classifiers, sorting_job
from docpipe.source import readable
from docpipe.splitting import SEPARATORS, Plan, Sheet, cut
from docpipe.words import load_ocr
from docpipe.workspace import temporary

SUFFIXES = {"application/pdf": (".pdf",), "image/tiff": (".tif", ".tiff")}


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
    """Where the documents in the file begin, and what each is. `separators` are the texts of the codes of separator sheets. Of `request`
    counts what `sort_document` says.

    Raises UsageError where the plan names pages that are not there, and what `sort_document` raises.
    """
    looked_for = separators if plan.kind == "auto" else ()
    with contextlib.ExitStack() as stack:
        judge = PageJudge(classes, load_classifiers(classifiers, request, stack), threshold=threshold, separators=looked_for, reads=True)
        source, space = stack.enter_context(readable(path)), stack.enter_context(temporary())
        job, pages = preprocess(sorting_job(source, request), space=space, limits=request.limits, password=password)
        ocr, verdicts = load_ocr(request.options.ocr, cache=request.cache), dict[int, PageVerdict]()

        def sheets() -> Iterator[Sheet]:
            for page in pages:
                sheet = judge.look(page, job=job, ocr=ocr, space=space, limits=request.limits, password=password)
                verdicts[page.number] = sheet.verdict
                yield sheet

        split = cut(sheets(), plan, separators=separators)
        return Packet(
            document=job.document.model_copy(update={"name": path.name}),
            plan=str(plan),
            parts=split.parts,
            between=split.between,
            verdicts=tuple(vote_document([verdicts[number] for number in part.pages], threshold=threshold) for part in split.parts),
            pages=tuple(verdicts.values()),
        )


def write_parts(
    path: Path, packet: Packet, folder: Path, request: Request, *, password: str | None = None, replace: bool = False
) -> tuple[Path, ...]:
    """Write each part as a file of its own; returns where. Pages are copied as they are. A part that is the whole file is its copy.

    Raises UsageError, before anything is written, where a file is there already and may not be replaced, or bears the name of one part
    more, as an earlier cut may have left it: it would be taken for one of these; MismatchError where the packet has changed;
    UnsupportedError for a format whose pages cannot be copied.
    """
    targets = tuple(_part_path(path, packet, folder, part.number) for part in packet.parts)
    if taken := next((target for target in targets if _is_taken(target, path, replace=replace)), None):
        raise UsageError("there already", file=taken.name, hint=_way_out(taken, path))
    if (beyond := _part_path(path, packet, folder, len(targets) + 1)).exists():
        raise UsageError("there already, and no part of this cut", file=beyond.name, hint="move it away, or choose another --out")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with readable(path) as source, temporary() as space:
        job = sorting_job(source, request)
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


def _part_path(path: Path, packet: Packet, folder: Path, number: int) -> Path:
    """`NAME.1.pdf` and so on."""
    return folder / f"{path.stem}.{number}{_suffix(path, packet)}"


def _is_taken(target: Path, path: Path, *, replace: bool) -> bool:
    """Whether something is there that must stay: what may not be replaced, a link, and the file that is cut."""
    return target.is_symlink() or (target.exists() and (not replace or target.samefile(path)))


def _way_out(taken: Path, path: Path) -> str:
    """The hint of the error: neither a link nor the file that is cut is ever replaced."""
    stays = _is_taken(taken, path, replace=True)
    return "choose another --out" if stays else "choose another --out, or replace what is there with --replace"


def _suffix(path: Path, packet: Packet) -> str:
    """The file's own where it fits its content or its content cannot be cut."""
    usual = SUFFIXES.get(packet.document.media_type, (path.suffix,))
    return path.suffix if path.suffix.lower() in usual else usual[0]
