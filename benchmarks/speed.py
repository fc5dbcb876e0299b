"""What reading costs, beside kreuzberg on the same files in the same run.

    python benchmarks/speed.py [--peer PYTHON] [--rounds 3] [--receipt FILE] [--scan FILE]

CPU seconds (user + system, child processes included) of whole processes, in turn, median of the rounds. A further page is the cost of a
long document less that of a short one, divided by the pages between, so that start-up falls out. `--peer` is the Python of an
environment with kreuzberg; without it only our own figures are printed.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pymupdf

WORDS = """
import sys
from pathlib import Path
from docpipe.preprocess import preprocess
from docpipe.preprocess.sniff import identify
from docpipe.limits import Limits
from docpipe.records import Job, SchemaRef
from docpipe.words import load_ocr, read_words
from docpipe.workspace import temporary
path, limits = Path(sys.argv[1]), Limits()
with temporary() as space:
    job = Job(id="speed", source=path, document=identify(path, limits), schema_ref=SchemaRef(name="none", sha256=""))
    job, pages = preprocess(job, space=space, limits=limits)
    ocr = load_ocr("ppocr")
    for page in pages:
        read_words(page, ocr=ocr, languages=(), space=space)
"""
TRANSCRIPT = "import sys; from docpipe.cli import main; sys.exit(main(['run', sys.argv[1], '--out', sys.argv[1] + '.json', '--quiet']))"
PEER = "import sys, kreuzberg; kreuzberg.extract_file_sync(sys.argv[1])"
PEER_OCR = (
    "import sys, kreuzberg as k; "
    "k.extract_file_sync(sys.argv[1], config=k.ExtractionConfig(ocr=k.OcrConfig(backend='tesseract', language='eng'), use_cache=False))"
)


def cpu_seconds(python: str, program: str, path: Path) -> float:
    """CPU of one process and of all it waited for."""
    before = os.times()
    done = subprocess.run([python, "-c", program, str(path)], capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    after = os.times()
    if done.returncode:
        sys.exit(f"{path.name}: {done.stderr[-500:]}")
    return after.children_user + after.children_system - before.children_user - before.children_system


def text_pdf(path: Path, pages: int) -> Path:
    """Born-digital pages full of words."""
    words, chance = [f"word{i}" for i in range(300)], random.Random(1)
    document = pymupdf.open()
    for _ in range(pages):
        lines = "\n".join(" ".join(chance.choice(words) for _ in range(11)) for _ in range(46))
        document.new_page().insert_textbox(pymupdf.Rect(50, 50, 545, 800), lines, fontsize=9.5)
    document.save(path, deflate=True)
    return path


def scan_pdf(path: Path, pages: int, source: Path) -> Path:
    """The same kind of page as one noisy JPEG each, a little askew."""
    document, noise = pymupdf.open(), np.random.default_rng(1)
    for page in pymupdf.open(source).pages(0, pages):
        pixmap = page.get_pixmap(dpi=200, colorspace=pymupdf.csGRAY)
        image = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width)
        turn = cv2.getRotationMatrix2D((pixmap.width / 2, pixmap.height / 2), noise.uniform(-1, 1), 1)
        image = cv2.warpAffine(image, turn, (pixmap.width, pixmap.height), borderValue=255)
        image = np.clip(image + noise.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
        jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
        document.new_page(width=page.rect.width, height=page.rect.height).insert_image(page.rect, stream=jpeg)
    document.save(path)
    return path


def compare(name: str, ours: str, peer: str, short: Path, long: Path | None, between: int, arguments: argparse.Namespace) -> None:
    """One line: whole process on the short file, and per further page, for us and the peer."""
    runs: dict[str, list[tuple[float, float]]] = {"docpipe": [], "kreuzberg": []}
    for _ in range(arguments.rounds):
        for who, python, program in (("docpipe", sys.executable, ours), ("kreuzberg", arguments.peer, peer)):
            if python:
                first = cpu_seconds(python, program, short)
                further = (cpu_seconds(python, program, long) - first) / between if long else 0.0
                runs[who].append((first, further))
    for who, figures in runs.items():
        if figures:
            first, further = (statistics.median(figure[part] for figure in figures) for part in (0, 1))
            more = f"  per further page {further * 1000:8.1f} ms" if long else ""
            print(f"{name:28} {who:10} whole process {first:6.2f} s{more}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="Python of an environment with kreuzberg")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--receipt", type=Path, help="a photographed receipt to add")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        short, long = text_pdf(place / "text10.pdf", 10), text_pdf(place / "text200.pdf", 200)
        compare("text PDF, 10 pages, words", WORDS, PEER, short, long, 190, arguments)
        one, four = scan_pdf(place / "scan1.pdf", 1, short), scan_pdf(place / "scan4.pdf", 4, short)
        compare("scanned A4, text", TRANSCRIPT, PEER_OCR, one, four, 3, arguments)
        if arguments.receipt:
            receipt = place / arguments.receipt.name
            receipt.write_bytes(arguments.receipt.read_bytes())
            compare("receipt, text", TRANSCRIPT, PEER_OCR, receipt, None, 1, arguments)


if __name__ == "__main__":
    main()
