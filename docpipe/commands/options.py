"""The arguments that several commands share, and what they mean. Reads no document."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from docpipe.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from docpipe.classify import DocumentClass
    from docpipe.looks import Embedder
    from docpipe.request import Request
    from docpipe.settings import Settings

SETTINGS_NOTE = """\
What is not given comes from the environment: DOCPIPE_OCR, DOCPIPE_LANGUAGES, DOCPIPE_DPI; and the limits DOCPIPE_MAX_BYTES,
DOCPIPE_MAX_PAGES, DOCPIPE_MAX_PIXELS, DOCPIPE_PAGE_SECONDS, DOCPIPE_DOCUMENT_SECONDS, DOCPIPE_MEMORY. The model that the engine vlm asks
is DOCPIPE_MODEL__MODEL, a folder, a hub's id or a server's name for it."""
ENGINES = {"auto": ("einvoice", "labels", "vlm")}
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """What to read and how."""
    group = parser.add_argument_group("reading")
    group.add_argument("--schema", metavar="S", help="built-in name, module:Class, path.py:Class, or auto, auto:A,B (default: transcript)")
    group.add_argument("--split", metavar="HOW", help="files hold several documents: auto, every:N, pages:1-3,4-9 (default: never)")
    group.add_argument("--classifier", metavar="A,B", help="who says what a page is, for --schema auto and --split (default: words)")
    engines = group.add_mutually_exclusive_group()
    engines.add_argument(
        "--engine", metavar="NAME", help="labels (the default), vlm, or auto: labels, and vlm for the pages it leaves open"
    )
    engines.add_argument("--engines", metavar="A,B", help="the engines that read, in order (default: einvoice,labels)")
    _add_page_options(group)
    parser.epilog = SETTINGS_NOTE


def add_asking_options(parser: argparse.ArgumentParser) -> None:
    """What to ask of which pages, and how to say it."""
    group = parser.add_argument_group("asking")
    _add_model_options(group)
    group.add_argument("--json", action="store_true", help="JSON, with what each answer has cost")


def add_sorting_options(parser: argparse.ArgumentParser) -> None:
    """Which classes pages are told apart by and by whom, which pages are looked at, and how."""
    group = parser.add_argument_group("classes")
    group.add_argument("--classes", metavar="A,B", help="schemas: built-in names, module:Class or path.py:Class")
    group.add_argument(
        "--class", metavar="NAME=WHAT", dest="described", action="append", default=[], help="a class without a schema; may be repeated"
    )
    group.add_argument(
        "--classifier",
        metavar="A,B",
        default="words",
        help="who looks and votes: words (the default), vlm, clip, align, siglip2, blip, oscar, or your own",
    )
    group.add_argument("--threshold", metavar="P", default="0.5", help="a class less likely than this is unknown (default: 0.5)")
    _add_page_options(parser.add_argument_group("reading"))


def add_word_options(parser: argparse.ArgumentParser) -> None:
    """How the words of pages are read."""
    group = parser.add_argument_group("reading")
    _add_ocr_options(group)
    group.add_argument("--dpi", metavar="N", help="resolution pages are rendered at, 72 to 600")


def add_index_options(parser: argparse.ArgumentParser) -> None:
    """Which index, whose documents, and who looks at pictures."""
    parser.add_argument("--index", metavar="URL", help="sqlite:///path or postgresql+psycopg://... (default: DOCPIPE_INDEX)")
    parser.add_argument("--tenant", metavar="T", help="whose documents (default: DOCPIPE_TENANT, or `default`)")
    parser.add_argument(
        "--looks", metavar="NAME", help="who says what pages look like: clip, or your own; also NAME=CHECKPOINT (default: DOCPIPE_LOOKS)"
    )


def _add_page_options(group: argparse._ArgumentGroup) -> None:
    """How pages are opened and their words are read."""
    _add_model_options(group)
    _add_ocr_options(group)


def _add_ocr_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--ocr", metavar="NAME", help="OCR engine: a name, module:Class or path.py:Class")
    group.add_argument("--lang", metavar="DE,EN", help="languages of the documents, as two-letter codes")
    group.add_argument("--format", metavar="NAME", action="append", default=[], help="a further input format; may be repeated")


def _add_model_options(group: argparse._ArgumentGroup) -> None:
    """What asks a model, about which pages, and what of them it is shown."""
    group.add_argument("--backend", metavar="NAME", help="what asks the model: a name, module:Class or path.py:Class")
    group.add_argument("--redact", metavar="NAME", help="who blacks out what no other machine may see, such as identifiers")
    group.add_argument("--pages", metavar="1-3,7", help="only these pages, counted from 1")
    group.add_argument("--dpi", metavar="N", help="resolution pages are rendered at, 72 to 600")


def add_password_options(parser: argparse.ArgumentParser) -> None:
    """A document's password, from a file or the command line."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--password-file", metavar="FILE", type=Path, help="file whose first line is the password")
    group.add_argument("--password", metavar="P", help="the password itself; other users can see it in the list of processes")


def read_request(arguments: argparse.Namespace, settings: Settings) -> Request:
    """What the arguments ask for. Raises UsageError."""
    from docpipe.fields import DEFAULT_SCHEMA
    from docpipe.request import make_request

    return make_request(
        settings,
        schema_name=arguments.schema or DEFAULT_SCHEMA,
        engines=_engines(arguments),
        ocr=arguments.ocr,
        backend=arguments.backend,
        redact=arguments.redact,
        languages=_languages(arguments.lang),
        pages=parse_pages(arguments.pages, most=settings.max_pages),
        formats=arguments.format,
        dpi=_dpi(arguments),
        split=arguments.split,
        classifiers=listed("--classifier", arguments.classifier),
    )


def read_asking(arguments: argparse.Namespace, settings: Settings) -> Request:
    """What is asked, of which pages. Raises UsageError."""
    from docpipe.request import make_request

    return make_request(
        settings,
        backend=arguments.backend,
        redact=arguments.redact,
        pages=parse_pages(arguments.pages, most=settings.max_pages),
        dpi=_dpi(arguments),
    )


def read_sorting(arguments: argparse.Namespace, settings: Settings) -> Request:
    """Which pages are looked at and how. Raises UsageError."""
    from docpipe.request import make_request

    return make_request(
        settings,
        ocr=arguments.ocr,
        backend=arguments.backend,
        redact=arguments.redact,
        languages=_languages(arguments.lang),
        pages=parse_pages(arguments.pages, most=settings.max_pages),
        formats=arguments.format,
        dpi=_dpi(arguments),
    )


def read_classes(arguments: argparse.Namespace) -> tuple[DocumentClass, ...]:
    """The classes of --classes and --class; where none is named, the built-in ones. Raises UsageError and SchemaError."""
    from docpipe.classify import load_classes

    return load_classes([*(listed("--classes", arguments.classes) or ()), *arguments.described])


def read_classifiers(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The names of --classifier. Raises UsageError."""
    return listed("--classifier", arguments.classifier) or ()


def read_threshold(arguments: argparse.Namespace) -> float:
    """The probability of --threshold. Raises UsageError."""
    return positive("--threshold", arguments.threshold, most=1.0)


def read_embedder(arguments: argparse.Namespace, settings: Settings) -> Embedder | None:
    """The embedder of --looks or DOCPIPE_LOOKS; None where neither names one. Raises UsageError and MissingError."""
    from docpipe.indexing import load_embedder

    return load_embedder(settings.looks if arguments.looks is None else arguments.looks, settings.checkpoints)


def read_words_request(arguments: argparse.Namespace, settings: Settings) -> Request:
    """How words are read. Raises UsageError."""
    from docpipe.request import make_request

    languages = _languages(arguments.lang)
    return make_request(settings, ocr=arguments.ocr, languages=languages, formats=arguments.format, dpi=_dpi(arguments))


def read_password(arguments: argparse.Namespace) -> str | None:
    """The password that was given, if any. Raises NotFoundError for a file that cannot be read."""
    path: Path | None = arguments.password_file
    if path is None:
        given: str | None = arguments.password
        return given
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as problem:
        raise NotFoundError(f"the password file cannot be read: {problem.strerror}", file=path.name) from problem
    except UnicodeDecodeError as problem:
        raise UsageError("the password file is not UTF-8 text", file=path.name) from problem
    return lines[0] if lines else ""


def parse_pages(text: str | None, *, most: int) -> tuple[int, ...]:
    """`1-3,7` -> (1, 2, 3, 7); nothing given is all pages, the empty tuple."""
    pages: set[int] = set()
    for part in listed("--pages", text) or ():
        match = _RANGE.fullmatch(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match and len(part) < 40 else (0, 0)
        if not 1 <= first <= last:
            raise UsageError(f"--pages: {part!r} is not a page or a range of pages", hint="for example 1-3,7")
        if last > most:
            raise UsageError(f"--pages: {last} is beyond the {most} pages of the limit", hint="raise DOCPIPE_MAX_PAGES")
        pages.update(range(first, last + 1))
    return tuple(sorted(pages))


def _engines(arguments: argparse.Namespace) -> tuple[str, ...] | None:
    """An e-invoice's own XML is read whatever engine reads the page."""
    name: str | None = arguments.engine
    return listed("--engines", arguments.engines) if name is None else ENGINES.get(name, ("einvoice", name))


def _dpi(arguments: argparse.Namespace) -> int | None:
    return None if arguments.dpi is None else whole_number("--dpi", arguments.dpi, least=72, most=600)


def listed(option: str, text: str | None) -> tuple[str, ...] | None:
    """The parts of a text between commas; None for None. Raises UsageError for an empty part."""
    if text is None:
        return None
    parts = tuple(part.strip() for part in text.split(","))
    if not all(parts):
        raise UsageError(f"{option}: {text!r} has an empty part")
    return parts


def _languages(text: str | None) -> tuple[str, ...] | None:
    codes = listed("--lang", text)
    if codes:
        from babel import Locale

        known = Locale("en").languages
        for code in codes:
            if len(code) != 2 or code not in known:
                raise UsageError(f"--lang: {code!r} is not the two-letter code of a language", hint="for example de,en")
    return codes


def whole_number(option: str, text: str, *, least: int, most: int) -> int:
    """A whole number in these limits. Raises UsageError."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise UsageError(f"{option}: {text!r} is not a whole number from {least} to {most}")
    return int(text)


def positive(option: str, text: str, *, most: float) -> float:
    """A number above 0 and up to `most`. Raises UsageError."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= most:
        raise UsageError(f"{option}: {text!r} is not a number above 0 and up to {most:g}")
    return number
