"""Ask a model a question about each page of a document, in plain words.

The answer is what the model says: nothing on the page bears it out. To read values, use docpipe run. Which model is asked, and by what, say
DOCPIPE_MODEL and DOCPIPE_BACKEND; a page that fails is named on stderr, and the first such error is the exit code.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from docpipe.commands.messages import one_line, say
from docpipe.commands.options import add_asking_options, add_password_options, read_asking, read_password
from docpipe.errors import PageError, tree

if TYPE_CHECKING:
    from docpipe.questions import PageAnswer

HELP = "ask a model about a document's pages"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("file", metavar="FILE", type=Path, help="PDF, PNG, JPEG, TIFF, WebP, BMP, GIF or HEIC")
    parser.add_argument("question", metavar="QUESTION", help="what to ask about each page")
    add_asking_options(parser)
    add_password_options(parser)


def main(arguments: argparse.Namespace) -> int:
    """Ask about every page."""
    return answer(arguments, arguments.question)


def answer(arguments: argparse.Namespace, question: str | None) -> int:
    """Ask, or without a question have each page described; print what is said, and return the exit code."""
    from docpipe.output import write_stdout
    from docpipe.questions import ask_pages
    from docpipe.settings import read_settings

    request = read_asking(arguments, read_settings())
    answers = []
    for found in ask_pages(arguments.file, question, request, password=read_password(arguments)):
        answers.append(found)
        if not arguments.json:
            write_stdout(_said(found).encode(errors="backslashreplace"))
        _warn(found, arguments)
    if arguments.json:
        write_stdout(_as_json(arguments.file.name, question, answers).encode())
    if failed := [found.error for found in answers if found.error]:
        kinds = {kind.code: kind for kind in tree()}
        problem = kinds.get(failed[0].partition(":")[0], PageError)(f"{len(failed)} of {len(answers)} pages have no answer")
        problem.file, problem.hint = arguments.file.name, "the warnings say why"
        raise problem
    return 0


def _said(found: PageAnswer) -> str:
    """The answer under its page's number, without anything that a terminal would obey."""
    lines = (found.text or "").splitlines() or ["(blank)" if not found.error else "(failed)"]
    return "".join(f"{line}\n" for line in [f"page {found.page}:", *map(one_line, lines)])


def _warn(found: PageAnswer, arguments: argparse.Namespace) -> None:
    if found.error:
        say(one_line(f"docpipe: warning: {arguments.file.name}: page {found.page}: {found.error}"))
    elif found.stop not in (None, "end") and not arguments.quiet:
        say(one_line(f"docpipe: warning: {arguments.file.name}: page {found.page}: the answer is not whole ({found.stop})"))


def _as_json(name: str, question: str | None, answers: Sequence[PageAnswer]) -> str:
    said = {"document": name, "question": question, "answers": [found.model_dump(mode="json") for found in answers]}
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"
