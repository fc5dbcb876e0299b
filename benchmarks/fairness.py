"""How long a one-page document takes while a long one is read, and what that costs the long one.

    python benchmarks/fairness.py [--pages 600] [--small 20]

Starts a whole queue on this machine (`workers.local`) with one slot per processor. All documents are drawn text PDFs, read as transcripts.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import pymupdf

from docpipe.client import Client
from docpipe.request import Request
from docpipe.settings import Settings
from workers.local import local_queue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--small", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, local_queue(Path(name) / "queue") as environment:
        os.environ.update(environment)
        folder = Path(name)
        with Client.from_settings(Settings()) as client:
            draw(folder / "warm.pdf", 8)
            finish(client, submit(client, folder / "warm.pdf"))
            idle = [one_page(client, folder, f"idle-{number}") for number in range(5)]
            big = draw(folder / "big.pdf", options.pages)
            alone = finish(client, submit(client, big, key="alone"))
            begin, job = time.monotonic(), submit(client, big, key="busy")
            busy = []
            while len(busy) < options.small and not client.job(job).ended:
                busy.append(one_page(client, folder, f"busy-{len(busy)}"))
                time.sleep(1)
            finish(client, job)
            beside = time.monotonic() - begin
    print(f"one page: {statistics.median(idle):.2f} s on an idle queue; beside {options.pages} pages {statistics.median(busy):.2f} s")
    print(f"({len(busy)} documents, at most {max(busy):.2f} s)")
    print(f"{options.pages} pages: {alone:.1f} s alone, {beside:.1f} s beside them ({beside / alone - 1:+.0%})")


def draw(path: Path, pages: int) -> Path:
    document = pymupdf.open()
    for number in range(1, pages + 1):
        page = document.new_page()
        for line in range(30):
            page.insert_text((60, 80 + 20 * line), f"{path.stem}, page {number}, line {line}: some words that say nothing", fontsize=10)
    document.save(path)
    return path


def submit(client: Client, path: Path, key: str | None = None) -> str:
    return client.submit(path, Request(), key=key)


def finish(client: Client, job: str, *, every: float = 0.5) -> float:
    """Seconds until the job has ended, asked for so often: looking at a job costs with its pages."""
    begin = time.monotonic()
    while not client.job(job).ended:
        time.sleep(every)
    return time.monotonic() - begin


def one_page(client: Client, folder: Path, name: str) -> float:
    """Seconds from submitting a document of one page to its result."""
    return finish(client, submit(client, draw(folder / f"{name}.pdf", 1)), every=0.02)


if __name__ == "__main__":
    main()
