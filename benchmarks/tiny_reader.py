"""How well the tiny trained reader of the tests reads, through the whole pipeline: pixels -> JSON with places and doubts.

    python benchmarks/tiny_reader.py [--clean 500] [--blurred 200]

It knows one small canvas, and shows that the way from a page to a result carries signal; it says nothing about models that read documents.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from digits import readings

TOGETHER = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clean", type=int, default=500)
    parser.add_argument("--blurred", type=int, default=200)
    given = parser.parse_args()
    clean, blurred = readings.pages(given.clean), readings.pages(given.blurred, blurred=True)
    print(f"AUROC of the model's own least likely token: {readings.separation(readings.own([*clean, *blurred])):.3f}")
    with tempfile.TemporaryDirectory() as folder:
        for engines in (("vlm",), ("labels", "vlm")):
            print(f"engines {' '.join(engines)}")
            reader = readings.reader(*engines)
            report(*(readings.read(reader, pages, Path(folder)) for pages in (clean, blurred)))
        for batch in (1, 8, 1, 8):
            seconds, asking = in_one_file(Path(folder) / "pages.tiff", batch)
            print(f"{TOGETHER} pages of one file, up to {batch} asked about at a time: {seconds:.1f} CPU s, {asking:.1f} s of them asking")


def in_one_file(path: Path, batch: int) -> tuple[float, float]:
    """CPU seconds of reading the file once the model is loaded, and how long the stage of the model's engine took."""
    first, *others = (page.image for page in readings.pages(TOGETHER))
    first.save(path, save_all=True, append_images=others)
    reader = readings.reader("vlm", batch=batch)
    reader.read(path)
    begin = time.process_time()
    result = reader.read(path)
    return time.process_time() - begin, result.timing["extract"]


def report(clean: list[readings.Read], blurred: list[readings.Read]) -> None:
    for name, reads in (("clean", clean), ("blurred", blurred)):
        right = [one for one in reads if one.right]
        said = Counter(f"{one.status} {'right' if one.right else 'wrong'}" for one in reads)
        print(f"  {name}: {len(right)} of {len(reads)} right, {sum(one.boxed for one in right)} of these in the right box; {dict(said)}")
    auroc = readings.separation((one.confidence, one.right) for one in [*clean, *blurred])
    print(f"  AUROC of the confidence: {auroc:.3f}", flush=True)


if __name__ == "__main__":
    main()
