"""What a page costs as an item of the queue, beside the same pages read in a row, and how that grows with the document.

    python benchmarks/page_items.py [--items 100] [--pages 1,50,500,2000] [--megabytes 200]

CPU of this process and its rendering process per page of text, one item after the other, through `Steps` on SQLite and a local store:
handed out, claimed, read, stored, settled. Of a long document `--items` pages are read that lie evenly in it; of a short one, so many
documents.
The last document is large: every other of its pages is a picture, which nobody asks for. What a process imports is loaded before.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pymupdf
from speed import text_pdf

from docpipe import pipeline
from docpipe.client import Client
from docpipe.ledger import dispatch, open_ledger
from docpipe.limits import Limits
from docpipe.preprocess import identify, preprocess
from docpipe.preprocess.client import shut_down
from docpipe.records import Job, ReadOptions, SchemaRef
from docpipe.request import Request
from docpipe.steps import Steps
from docpipe.store import Store
from docpipe.words import load_ocr
from docpipe.workspace import temporary

SLOTS = {"prepare": 1}
PICTURE = 4 * 1024**2  # bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--pages", default="1,50,500,2000", help="of the text documents")
    parser.add_argument("--megabytes", type=int, default=200, help="of the large document")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        in_a_row(warm := text_pdf(folder / "warm.pdf", 1), (1,), 1)
        list(as_items(warm, (1,), 1))
        for pages in map(int, options.pages.split(",")):
            report(text_pdf(folder / f"{pages} pages.pdf", pages), range(1, pages + 1), options.items)
        pages = 2 * max(1, options.megabytes * 1024**2 // PICTURE)
        report(picture_pdf(folder / f"{options.megabytes} MB.pdf", pages), range(1, pages + 1, 2), options.items)


def report(path: Path, numbers: range, items: int) -> None:
    """One line: CPU per page as items, and read in a row."""
    wanted = tuple(numbers[:: max(1, len(numbers) // items)][:items])
    copies = items if len(wanted) == 1 else 1
    one_by_one = list(as_items(path, wanted, copies))
    row = in_a_row(path, wanted, copies)
    print(
        f"{path.stem:12} {path.stat().st_size / 1e6:7.1f} MB  {len(one_by_one):4} items {1e3 * statistics.mean(one_by_one):7.1f} ms each,"
        f" median {1e3 * statistics.median(one_by_one):7.1f} ms, in a row {1e3 * row:7.1f} ms",
        flush=True,
    )


def as_items(path: Path, wanted: tuple[int, ...], copies: int) -> Iterator[float]:
    """CPU seconds of each page's item."""
    with tempfile.TemporaryDirectory() as name:
        ledger, store = open_ledger(f"sqlite:///{name}/ledger.sqlite"), Store(f"{name}/store")
        client, steps = Client(ledger, store, tenant="acme"), Steps(ledger, store)
        request = Request(options=ReadOptions(pages=wanted))
        for copy in range(copies):
            client.submit(path, request, key=str(copy))
        begin = cpu_seconds()
        while sent := dispatch(ledger, slots=SLOTS):
            for one in sent:
                item = steps.do(one.hint, owner="benchmark")
                if item is None:
                    raise SystemExit("an item was not there")
                now = cpu_seconds()
                if item.kind == "words":
                    yield now - begin
                begin = now
        steps.close()
        ledger.close()
    shut_down()


def in_a_row(path: Path, wanted: tuple[int, ...], copies: int) -> float:
    """CPU seconds per page of one reading of them all, the process warm."""
    options, ocr = ReadOptions(pages=wanted), load_ocr("ppocr")

    def read(numbers: tuple[int, ...]) -> None:
        job = Job(id="row", source=path, document=identify(path), schema_ref=SchemaRef(name="none", sha256=""), options=options)
        job = job.model_copy(update={"options": options.model_copy(update={"pages": numbers})})
        with temporary() as space:
            job, pages = preprocess(job, space=space, limits=Limits())
            for page in pages:
                pipeline.read_page_words(page, job=job, ocr=ocr, space=space)

    read(wanted[:1])
    begin = cpu_seconds()
    for _ in range(copies):
        read(wanted)
    seconds = cpu_seconds() - begin
    shut_down()
    return seconds / copies / len(wanted)


def cpu_seconds() -> float:
    """User and system time of this process and of its children, ended or not. Linux alone tells it of living ones, to the nanosecond."""
    ended, living = os.times(), Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    working = sum(int(Path(f"/proc/{child}/schedstat").read_text().split()[0]) for child in living)
    return time.process_time() + ended.children_user + ended.children_system + working / 1e9


def picture_pdf(path: Path, pages: int) -> Path:
    """Text on the odd pages, a picture that does not get smaller by packing on the even ones."""
    noise, document = random.Random(1), pymupdf.open(text_pdf(path.with_suffix(".text"), pages // 2))
    side = int((PICTURE / 3) ** 0.5)
    for number in range(1, pages, 2):
        pixels = np.frombuffer(noise.randbytes(side * side * 3), np.uint8)
        page = document.new_page(number)
        page.insert_image(page.rect, pixmap=pymupdf.Pixmap(pymupdf.csRGB, side, side, pixels.tobytes(), False))
    document.save(path, deflate=False)
    return path


if __name__ == "__main__":
    main()
