"""Cut packets made of the documents of truth files: how well their boundaries are found, and how well the parts can be read.

    python benchmarks/packets.py --truth TRUTH.jsonl ... --data DATA --schemas FOLDER --cache FOLDER [--packets 200] [--half 0|1]
        [--seed 7] [--all-classes] [--backs] [--harder] [--keep DIR] [--read N --scorer FOLDER]

200 seeded packets of 2 to 12 documents, some of them scanned by ourselves. A boundary is the first page of each document but the
packet's first: it is found where a part begins there. --half takes one half of the vendors; the weights were fitted on half 0. --backs puts
a blank back behind every document of an odd number of pages. --harder gives a third of the documents a running head and takes the page
numbers of a third. --keep writes the packets as PDFs. --read N writes N packets, cuts them as files, and reads the parts that were cut
right and the same documents alone, each with its schema; --scorer is the folder of the field scorer.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from classify import reference
from packets_harder import harder
from packets_made import Packet, Paper, Shelf, Sorter, add_arguments, packets, papers, sheets_of, write

from docpipe.classify import load_classes
from docpipe.splitting import Plan, Sheet, cut

SEED = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--half", type=int, choices=(0, 1))
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--all-classes", action="store_true", help="the classes of all documents; else the built-in ones")
    parser.add_argument("--backs", action="store_true")
    parser.add_argument("--harder", action="store_true", help="running heads for a third of the documents, no page numbers for a third")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--read", type=int, default=0)
    parser.add_argument("--scorer", type=Path)
    parser.add_argument("--misses", action="store_true", help="name every error")
    options = parser.parse_args()
    shelf = Shelf(options.cache)
    found = [paper for paper in papers(options.truth, options.data) if options.half in (None, paper.half)]
    names = sorted({paper.schema for paper in found}) if options.all_classes else []
    sorter = Sorter(load_classes([reference(name, options.schemas) for name in names]))
    made = list(packets(found, shelf, count=options.packets, seed=options.seed))
    report(made, shelf, sorter, options)
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        for packet in made:
            write(packet, shelf, options.keep)
    if options.read:
        from packets_read import read_parts

        read_parts(made[: options.read], shelf, sorter, options)


def report(made: Sequence[Packet], shelf: Shelf, sorter: Sorter, options: argparse.Namespace) -> None:
    """Print F1, by look and together, and who was merged or torn apart."""
    counts: Counter[str] = Counter()
    errors: Counter[tuple[str, str]] = Counter()
    near: Counter[str] = Counter()
    pages, spent = 0, 0.0
    for packet in made:
        documents = sheets_of(packet, shelf, sorter, backs=options.backs)
        documents = harder(documents, random.Random(packet.name)) if options.harder else documents
        sheets = [sheet for document in documents for sheet in document]
        began = time.process_time()
        split = cut(sheets, Plan())
        spent, pages = spent + time.process_time() - began, pages + len(sheets)
        wanted = {document[0].page.number: place for place, document in enumerate(documents) if place}
        given = {part.pages[0] for part in split.parts[1:]}
        for what, amount in (("hit", len(given & set(wanted))), ("missed", len(set(wanted) - given)), ("false", len(given - set(wanted)))):
            counts[what] += amount
        counts["whole"] += given == set(wanted)
        counts["packets"] += 1
        near.update(_kinship(packet, place) for place in wanted.values())
        for page in sorted(set(wanted) ^ given):
            said = _error(packet, documents, page, wanted)
            errors[said] += 1
            if options.misses:
                print(f"{packet.name} page {page}: {said[0]}, {said[1]}: {_names(packet, documents, page)}")
    _print(counts, errors, near)
    print(f"{1000 * spent / max(1, pages):.2f} ms CPU a page for cutting ({pages} pages), words and classes not counted")


def _print(counts: Counter[str], errors: Counter[tuple[str, str]], near: Counter[str]) -> None:
    hit, missed, false = (counts[what] for what in ("hit", "missed", "false"))
    precision, recall, f1 = hit / max(1, hit + false), hit / max(1, hit + missed), 2 * hit / max(1, 2 * hit + missed + false)
    print("| packets | boundaries | precision | recall | F1 | cut wholly right |\n|---|---|---|---|---|---|")
    print(
        f"| {counts['packets']} | {hit + missed} | {precision:.3f} | {recall:.3f} | {f1:.3f} | {counts['whole'] / counts['packets']:.2f} |"
    )
    print("\n| error | where | times |\n|---|---|---|")
    for (kind, where), times in errors.most_common():
        print(f"| {kind} | {where} | {times} |")
    total = max(1, sum(near.values()))
    print("\nneighbours: " + ", ".join(f"{kind} {100 * times / total:.0f} %" for kind, times in near.most_common()))


def _kinship(packet: Packet, place: int) -> str:
    """How the document is akin to the one before."""
    (mine, _), (other, _) = packet.papers[place], packet.papers[place - 1]
    if mine.schema != other.schema:
        return "two classes"
    return "one class and vendor" if mine.vendor == other.vendor else "one class, two vendors"


def _error(packet: Packet, documents: Sequence[Sequence[Sheet]], page: int, wanted: dict[int, int]) -> tuple[str, str]:
    if page in wanted:
        place = wanted[page]
        return "missed", f"{_kinship(packet, place)} ({packet.papers[place - 1][0].schema}, then {packet.papers[place][0].schema})"
    return "false", f"within {packet.papers[_place(documents, page)][0].schema}"


def _place(documents: Sequence[Sequence[Sheet]], page: int) -> int:
    return next(place for place, document in enumerate(documents) if any(sheet.page.number == page for sheet in document))


def _names(packet: Packet, documents: Sequence[Sequence[Sheet]], page: int) -> str:
    place = _place(documents, page)
    papers: list[tuple[Paper, str]] = list(packet.papers[max(0, place - 1) : place + 1])
    return " | ".join(f"{paper.source.name} ({look})" for paper, look in papers) + f" page {page - documents[place][0].page.number + 1}"


if __name__ == "__main__":
    main()
