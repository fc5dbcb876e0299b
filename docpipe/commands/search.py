"""Search what was indexed, by text, by a picture that pages are to look like, or by both.

QUERY may be anything: words that are all to be on a page; "one after the other"; beg* for words that begin so; numbers, dates and
identifiers however they are printed; schema:invoice, status:review, name:, job: and every field of the results, as seller.name:acme or
gross_total=1190. Where no page has all of it, pages with any of it are shown.

Exit code 0, also where nothing is found.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from docpipe.commands.messages import one_line, say
from docpipe.commands.options import (
    add_index_options,
    add_password_options,
    add_word_options,
    read_embedder,
    read_password,
    read_words_request,
    whole_number,
)
from docpipe.commands.queue import put
from docpipe.errors import UsageError

if TYPE_CHECKING:
    from docpipe.search import Answer, FieldValue
    from docpipe.settings import Settings

HELP = "search what was indexed"
SHOWN = 4  # fields that a person is shown; --json has all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("query", metavar="QUERY", nargs="*", help="what is looked for; several arguments are one query")
    parser.add_argument("--like", metavar="IMAGE", type=Path, help="a picture or document that pages are to look like")
    parser.add_argument("--limit", metavar="N", default="10", help="the most pages that are shown (default: 10)")
    parser.add_argument("--json", action="store_true", help="all hits, ranks and fields, one JSON object a page")
    add_index_options(parser)
    add_word_options(parser)
    add_password_options(parser)


def main(arguments: argparse.Namespace) -> int:
    """Ask, and print a page after the other."""
    from docpipe.settings import read_settings

    if not arguments.query and not arguments.like:
        raise UsageError("nothing to look for", hint="give a QUERY, or --like IMAGE")
    answers = _answers(arguments, read_settings())
    for answer in answers:
        put(json.dumps(answer.model_dump(mode="json"), ensure_ascii=False) if arguments.json else _readable(answer))
    if not answers and not arguments.quiet:
        say("docpipe: nothing found")
    return 0


def _answers(arguments: argparse.Namespace, settings: Settings) -> list[Answer]:
    from docpipe.indexing import picture_of
    from docpipe.search import MOST, open_index, search

    most = whole_number("--limit", arguments.limit, least=1, most=MOST)
    embedder = read_embedder(arguments, settings)
    if arguments.like and embedder is None:
        raise UsageError("--like needs an embedder", hint="name the one of the index with --looks or DOCPIPE_LOOKS")
    index = open_index(arguments.index or settings.index, create=False)
    try:
        like = None
        if arguments.like:
            like = picture_of(arguments.like, read_words_request(arguments, settings), password=read_password(arguments))
        text = " ".join(arguments.query)
        return search(index, text, like=like, embedder=embedder, tenant=arguments.tenant or settings.tenant, most=most)
    finally:
        index.close()


def _readable(answer: Answer) -> str:
    """The place, what is printed there, and what the result says."""
    page = "" if answer.page is None else f" page {answer.page}"
    place = "" if answer.box is None else " at {:.0f},{:.0f},{:.0f},{:.0f}".format(*answer.box)
    found = [
        f"text {answer.text_rank}" if answer.text_rank else "",
        f"look {answer.look_rank} ({answer.cosine:.3f})" if answer.look_rank else "",
    ]
    only = "" if answer.whole or answer.text_rank is None else ", only part of the query"
    lines = [f"{answer.document.name}{page}{place}  [{', '.join(filter(None, found))}{only}]", f"    {answer.snippet}"]
    if answer.schema_name:
        said = [answer.schema_name, answer.status or "", *(_field(field) for field in answer.fields[:SHOWN])]
        lines.append(f"    {'  '.join(said)}")
    return "\n".join(one_line(line) for line in lines)


def _field(field: FieldValue) -> str:
    return f"{field.path}={str(field.value)[:40]}"
