"""Say where the documents in FILE begin, and what each is; with --out, write each as a file of its own: DIR/NAME.1.pdf and so on.

Pages are copied as they are. What belongs to the whole file, such as attachments and bookmarks, is left behind; parts of a file that
needs a password need the same. Files that are there already are replaced with --replace only. As JSON (--json), all scores and signs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from docpipe.commands.messages import one_line, say
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
    from docpipe.classify import Verdict
    from docpipe.packets import Packet
    from docpipe.records import CutSign, Part

HELP = "cut a file that holds several documents"
SHOWN = 3  # signs of a part that a person is shown; --json has all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("file", metavar="FILE", type=Path, help="PDF or TIFF")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where the parts go; without it nothing is written")
    parser.add_argument("--replace", action="store_true", help="replace files that are there already")
    parser.add_argument("--split", metavar="PLAN", default="auto", help="auto (the default), never, every:N or pages:1-3,4-9,10-")
    parser.add_argument("--separator", metavar="TEXT", action="append", help="what the code of a separator sheet says; may be repeated")
    parser.add_argument("--json", action="store_true", help="all scores and signs, with their boxes")
    add_sorting_options(parser)
    add_password_options(parser)


def main(arguments: argparse.Namespace) -> int:
    """Cut FILE."""
    from docpipe.output import write_stdout
    from docpipe.packets import split_document, write_parts
    from docpipe.settings import read_settings
    from docpipe.splitting import SEPARATORS, read_plan

    plan = read_plan(arguments.split)
    request, password = read_sorting(arguments, read_settings()), read_password(arguments)
    packet = split_document(
        arguments.file,
        request,
        read_classes(arguments),
        plan,
        classifiers=read_classifiers(arguments),
        threshold=read_threshold(arguments),
        separators=arguments.separator or SEPARATORS,
        password=password,
    )
    files: Sequence[Path] = ()
    if arguments.out:
        files = write_parts(arguments.file, packet, arguments.out, request, password=password, replace=arguments.replace)
    said = _as_json(packet, files) if arguments.json else _readable(packet, arguments.file, files)
    write_stdout(said.encode(errors="backslashreplace"))
    for page in () if arguments.quiet else packet.pages:
        if page.error:
            say(one_line(f"docpipe: warning: {arguments.file.name}: page {page.page} could not be looked at: {page.error}"))
    return 0


def _as_json(packet: Packet, files: Sequence[Path]) -> str:
    """The packet, each part with its verdict and, where it was written, its file."""
    said = packet.model_dump(mode="json", exclude={"parts", "verdicts"})
    parts = []
    for place, (part, verdict) in enumerate(zip(packet.parts, packet.verdicts, strict=True)):
        file = {"file": str(files[place])} if files else {}
        parts.append({**part.model_dump(mode="json"), **file, "verdict": verdict.model_dump(mode="json")})
    return json.dumps({**said, "parts": parts}, indent=2, ensure_ascii=False) + "\n"


def _readable(packet: Packet, path: Path, files: Sequence[Path]) -> str:
    """A line for the file, one for each part, and one for each of its strongest signs."""
    lines = [f"{path}: {_count(packet.document.pages, 'page')}, {_count(len(packet.parts), 'document')} (--split {packet.plan})"]
    for place, (part, verdict) in enumerate(zip(packet.parts, packet.verdicts, strict=True)):
        written = f" -> {files[place]}" if files else ""
        lines += [f"  {part.number}: {_part(part, verdict)}{written}", *(f"    {_sign(sign)}" for sign in _strongest(part))]
    if packet.between:
        lines.append(f"  between: {_pages(packet.between)}")
    return "".join(f"{one_line(line)}\n" for line in lines)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _part(part: Part, verdict: Verdict) -> str:
    return f"{_pages(part.pages)}, {verdict.choice} {verdict.score:.2f}, begins with {part.score:.2f}"


def _pages(numbers: Sequence[int]) -> str:
    """`page 3`, `pages 1-3, 7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    return f"page{'' if len(numbers) == 1 else 's'} {', '.join('-'.join(map(str, run)) for run in runs)}"


def _strongest(part: Part) -> list[CutSign]:
    return [sign for sign in part.signs if sign.text and sign.weight >= 0][:SHOWN]


def _sign(sign: CutSign) -> str:
    place = f" at {sign.box[0]:.0f},{sign.box[1]:.0f}" if sign.box else ""
    weight = f"{sign.weight:+.1f} " if sign.weight else ""
    return f"{weight}{sign.sort}: {sign.text}{place}"
