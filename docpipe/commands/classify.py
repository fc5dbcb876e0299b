"""Say what documents are, and each of their pages: one of several classes, or unknown; with the words that spoke for it.

The classes are the built-in schemas of a certain kind of document, or those of --classes and --class. As JSON (--json), one FILE is an
object, several are JSON Lines, each led by "file". All files are tried; the exit code is that of the first that failed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from docpipe.commands.messages import failure_of_pages, one_line, say, tell
from docpipe.commands.options import (
    add_password_options,
    add_sorting_options,
    read_classes,
    read_classifiers,
    read_password,
    read_sorting,
    read_threshold,
)

if TYPE_CHECKING:
    from docpipe.classify import PageVerdict
    from docpipe.records import Sign
    from docpipe.sorting import Sorted

HELP = "say what documents and their pages are"
SHOWN = 4  # signs of a page that a person is shown; --json has all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="PDF, PNG, JPEG, TIFF, WebP, BMP, GIF or HEIC")
    parser.add_argument("--json", action="store_true", help="all scores and signs, with their boxes")
    add_sorting_options(parser)
    add_password_options(parser)


def main(arguments: argparse.Namespace) -> int:
    """Look at every FILE."""
    from docpipe.settings import read_settings
    from docpipe.sorting import PageJudge, load_classifiers, sort_by

    request, password = read_sorting(arguments, read_settings()), read_password(arguments)
    classes, threshold = read_classes(arguments), read_threshold(arguments)
    codes = []
    with contextlib.ExitStack() as stack:
        classifiers = load_classifiers(read_classifiers(arguments), request, stack)
        judge = PageJudge(classes, classifiers, threshold=threshold)
        for path in arguments.files:
            try:
                found = sort_by(judge, path, request, password=password)
            except Exception as problem:
                codes.append(tell(problem, file=path.name, debug=arguments.debug))
                continue
            _show(found, path, arguments)
            said = [page.error for page in found.pages]
            if failure := failure_of_pages(said, "verdict", file=path.name, hint="its pages say why"):
                codes.append(tell(failure))
    return next(iter(codes), 0)


def _show(found: Sorted, path: Path, arguments: argparse.Namespace) -> None:
    """Print what the document is, and name on stderr whoever had no vote."""
    from docpipe.output import write_stdout

    said = _as_json(found, path, several=len(arguments.files) > 1) if arguments.json else _readable(found, path)
    write_stdout(said.encode(errors="backslashreplace"))
    for page in found.pages:
        for reason in () if arguments.quiet else page.failed:
            say(one_line(f"docpipe: warning: {path.name}: page {page.page}: without the vote of {reason}"))


def _as_json(found: Sorted, path: Path, *, several: bool) -> str:
    said = found.model_dump(mode="json")
    if several:
        return json.dumps({"file": str(path), **said}, ensure_ascii=False) + "\n"
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


def _readable(found: Sorted, path: Path) -> str:
    """A line for the document, one for each page, and one for each of its strongest signs."""
    others = f" (and {', '.join(found.verdict.others)})" if found.verdict.others else ""
    lines = [f"{path}: {found.verdict.choice} {found.verdict.score:.2f}{others}"]
    for page in found.pages:
        lines += [f"  page {page.page}: {_page(page)}", *(f"    {_sign(sign)}" for sign in _strongest(page))]
    return "".join(f"{one_line(line)}\n" for line in lines)


def _page(page: PageVerdict) -> str:
    if page.error:
        return f"failed: {page.error}"
    if page.kind != "content":
        return page.kind
    rivals = sorted(((score, name) for name, score in page.scores.items() if name != page.choice and score >= 0.01), reverse=True)
    beside = f" ({', '.join(f'{name} {score:.2f}' for score, name in rivals)})" if rivals else ""
    return f"{page.choice} {page.score:.2f}{beside}"


def _strongest(page: PageVerdict) -> list[Sign]:
    """Of the chosen class, or where none is chosen of the likeliest: what is printed."""
    mine: Sequence[Sign] = [sign for sign in page.signs if sign.class_name == page.choice] or page.signs
    return [sign for sign in mine if sign.text][:SHOWN]


def _sign(sign: Sign) -> str:
    place = f" at {sign.box[0]:.0f},{sign.box[1]:.0f}" if sign.box else ""
    meaning = f" = {sign.meaning}" if sign.meaning and sign.meaning != sign.text else ""
    return f"{sign.weight:+.1f} {sign.class_name} {sign.sort} {sign.text!r}{meaning}{place}"
