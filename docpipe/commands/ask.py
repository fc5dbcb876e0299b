"""Ask a model a question about each page of documents, in plain words.

The answer is what the model says: nothing on the page bears it out. To read values, use docpipe run. Which model is asked, and by what, say
DOCPIPE_MODEL and DOCPIPE_BACKEND. As JSON (--json), one FILE is an object, several are JSON Lines, each led by "file". All files are tried,
and a page that fails is named on stderr; the exit code is that of the first that failed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from docpipe.commands.messages import failure_of_pages, one_line, say, tell
from docpipe.commands.options import add_asking_options, add_password_options, read_asking, read_password

if TYPE_CHECKING:
    from docpipe.questions import PageAnswer

HELP = "ask a model about documents' pages"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="PDF, PNG, JPEG, TIFF, WebP, BMP, GIF or HEIC")
    parser.add_argument("question", metavar="QUESTION", help="what to ask about each page")
    add_asking_options(parser)
    add_password_options(parser)


def main(arguments: argparse.Namespace) -> int:
    """Ask about every page."""
    return answer(arguments, arguments.question)


def answer(arguments: argparse.Namespace, question: str | None) -> int:
    """Ask, or without a question have each page described; print what is said, and return the exit code."""
    from docpipe.questions import ask_pages, opened_backend
    from docpipe.settings import read_settings

    request, password, codes = read_asking(arguments, read_settings()), read_password(arguments), []
    with opened_backend(request) as backend:
        for path in arguments.files:
            try:
                _show(path, question, ask_pages(path, question, request, password=password, backend=backend), arguments)
            except BrokenPipeError:
                raise
            except Exception as problem:
                codes.append(tell(problem, file=path.name, debug=arguments.debug))
    return next(iter(codes), 0)


def _show(path: Path, question: str | None, found: Iterable[PageAnswer], arguments: argparse.Namespace) -> None:
    """Print one document's answers, as text each as it comes. Raises the error that the first page without one stands for."""
    from docpipe.output import write_stdout

    several, answers = len(arguments.files) > 1, []
    if several and not arguments.json:
        write_stdout(f"{one_line(str(path))}:\n".encode(errors="backslashreplace"))
    for one in found:
        answers.append(one)
        if not arguments.json:
            write_stdout(_said(one).encode(errors="backslashreplace"))
        _warn(one, path, quiet=arguments.quiet)
    if arguments.json:
        write_stdout(_as_json(path, question, answers, several=several).encode(errors="backslashreplace"))
    if problem := failure_of_pages([one.error for one in answers], "answer", file=path.name, hint="the warnings say why"):
        raise problem


def _said(found: PageAnswer) -> str:
    """The answer under its page's number, without anything that a terminal would obey."""
    lines = (found.text or "").splitlines() or ["(blank)" if not found.error else "(failed)"]
    return "".join(f"{line}\n" for line in [f"page {found.page}:", *map(one_line, lines)])


def _warn(found: PageAnswer, path: Path, *, quiet: bool) -> None:
    if found.error:
        say(one_line(f"docpipe: warning: {path.name}: page {found.page}: {found.error}"))
    elif found.stop not in (None, "end") and not quiet:
        say(one_line(f"docpipe: warning: {path.name}: page {found.page}: the answer is not whole ({found.stop})"))


def _as_json(path: Path, question: str | None, answers: Sequence[PageAnswer], *, several: bool) -> str:
    said = {"document": path.name, "question": question, "answers": [found.model_dump(mode="json") for found in answers]}
    if several:
        return json.dumps({"file": str(path), **said}, ensure_ascii=False) + "\n"
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"
