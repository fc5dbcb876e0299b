"""Read packets as files: cut them, read the parts that were cut right, and the same documents alone. Knows no scorer's insides."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from classify import reference
from packets_made import Look, Packet, Paper, Shelf, Sorter, sheets_of, write

import docpipe
from docpipe.classify import load_classes
from docpipe.packets import split_document
from docpipe.request import make_request
from docpipe.settings import Settings
from docpipe.splitting import Plan


def read_parts(made: Sequence[Packet], shelf: Shelf, sorter: Sorter, options: argparse.Namespace) -> None:
    """Print the field scores of the parts, and of the same documents alone."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        truth, cut_right, in_all = [], 0, 0
        for packet in made:
            file = write(packet, shelf, folder)
            parts = {part.pages for part in split_document(file, make_request(Settings()), load_classes([]), Plan()).parts}
            for paper, look, pages in _placed(packet, shelf, sorter):
                in_all += 1
                if pages not in parts:
                    continue
                document = f"{cut_right:04d}.pdf"
                cut_right += 1
                truth.append({**paper.truth, "document": document})
                _read(file, paper, options.schemas, folder / "parts", document, pages)
                _read(_alone(shelf, paper, look), paper, options.schemas, folder / "alone", document, ())
        (folder / "truth.jsonl").write_text("".join(json.dumps(line) + "\n" for line in truth), "utf-8")
        print(f"\n{cut_right} of {in_all} documents of {len(made)} packets were cut right; their fields, read as parts and alone:")
        for way in ("parts", "alone"):
            _score(folder / "truth.jsonl", folder / way, options.scorer)


def _placed(packet: Packet, shelf: Shelf, sorter: Sorter) -> Iterator[tuple[Paper, Look, tuple[int, ...]]]:
    documents = sheets_of(packet, shelf, sorter)
    for (paper, look), sheets in zip(packet.papers, documents, strict=True):
        yield paper, look, tuple(sheet.page.number for sheet in sheets)


def _alone(shelf: Shelf, paper: Paper, look: Look) -> Path:
    stock = shelf.get(paper, look)
    if stock is None:
        raise LookupError(paper.source)
    return stock.file


def _read(file: Path, paper: Paper, schemas: Path, folder: Path, name: str, pages: Sequence[int]) -> None:
    folder.mkdir(exist_ok=True)
    result: docpipe.Result[Any] = docpipe.run(file, reference(paper.schema, schemas), pages=pages)
    (folder / f"{name}.json").write_text(result.to_json(indent=None), "utf-8")


def _score(truth: Path, predictions: Path, scorer: Path) -> None:
    """The scorer's own lines about fields."""
    done = subprocess.run(
        [sys.executable, scorer / "score.py", "--truth", truth, "--predictions", predictions], capture_output=True, text=True, check=True
    )
    print(f"{predictions.name}: " + "\n".join(done.stdout.splitlines()[:6]))
