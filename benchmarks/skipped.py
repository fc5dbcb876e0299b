"""What it saves to pass over pages that hold nothing to extract: CPU seconds of this process, and calls of a model.

    python benchmarks/skipped.py [--pages N]

An invoice of our own with N pages of conditions behind it, read with its schema named and with `auto`, side by side in one run. The model
is a recorded answer that never fits, so each page is asked about twice.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import pymupdf

from docpipe.api import Reader, open_reader
from docpipe.backends import ModelOptions
from docpipe.request import make_request
from docpipe.routing import Router
from docpipe.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
CLAUSE = "The seller delivers the goods at the place that was agreed. Claims for defects lapse one year after delivery."
TIMES = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=10, help="pages of conditions (default: 10)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paper, answers = Path(folder) / "bill.pdf", Path(folder) / "answers.json"
        draw(paper, options.pages)
        answers.write_text(json.dumps({"answers": [{"text": "{}"}]}))
        for schema in ("invoice", "auto"):
            settings = Settings(backend="replay", model=ModelOptions(model=str(answers)))
            labels = open_reader(schema, make_request(settings))
            read = [timed(labels, paper) for _ in range(TIMES)]
            asked = open_reader(schema, make_request(settings, engines=("vlm",))).read(paper).usage.by_engine["vlm"].calls
            print(f"{schema}: {min(read):.2f} CPU s, {asked} calls of a model")


def draw(path: Path, conditions: int) -> None:
    with pymupdf.open(ROOT / "samples" / "invoice.pdf") as bill:
        for _ in range(conditions):
            page = bill.new_page()
            page.insert_text((60, 70), "General terms and conditions", fontsize=15)
            for line in range(48):
                page.insert_text((60, 100 + 14 * line), f"{line + 1}. {CLAUSE}", fontsize=7)
        bill.save(path)


def timed(reader: Reader[Any] | Router, paper: Path) -> float:
    begin = time.process_time()
    reader.read(paper)
    return time.process_time() - begin


if __name__ == "__main__":
    main()
