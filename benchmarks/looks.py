"""How well the small trained model of the tests tells drawn pages apart by their pictures, and how sure it is.

    python benchmarks/looks.py [--each 40]

It knows nine kinds of drawn pages, and shows that the way from a page's picture to a verdict carries signal; it says nothing about models
that have seen the world.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from looks import pages
from looks.judgements import BLANK, UNSEEN, answer, sideways, trained
from looks.train import CHECKPOINT
from PIL import Image

from docpipe.calibration import calibrate, calibration_error
from docpipe.classify import UNKNOWN
from docpipe.request import make_request
from docpipe.settings import Settings
from docpipe.sorting import sort_document

A4_AT_200_DPI = (1654, 2339)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=40)
    given = parser.parse_args()
    accuracy(given.each)
    calibrated(given.each)
    print(f"CPU ms a page of 200 dpi, without drawing it: {cost():.1f}")


def accuracy(each: int) -> None:
    """Through the pipeline."""
    request = make_request(Settings(checkpoints={"clip": str(CHECKPOINT)}))
    with tempfile.TemporaryDirectory() as folder:
        kinds = pages.pile(Path(folder) / "pile.pdf", each, seed=UNSEEN)
        found = sort_document(Path(folder) / "pile.pdf", request, pages.classes(), classifiers=("clip",)).pages
    wrong = Counter((kind, answer(page)) for kind, page in zip(kinds, found, strict=True) if answer(page) != pages.TRUTH[kind])
    print(f"{len(kinds) - wrong.total()} of {len(kinds)} right; taken for another: {dict(wrong)}")


def calibrated(each: int) -> None:
    """On pages that lie on their side."""
    found, before = calibrate(sideways(each, seed=1)), sideways(each, seed=2)
    after = [(found.applied(said, rest=UNKNOWN), truth) for said, truth in before]
    right = sum(max(said, key=lambda name: said[name]) == truth for said, truth in before)
    print(f"on their side: {right} of {len(before)} right, temperature {found.temperature:.2f}")
    print(f"expected calibration error {calibration_error(before):.3f}, calibrated {calibration_error(after):.3f}")


def cost(times: int = 50) -> float:
    """Milliseconds."""
    clip, image = trained(), Image.new("RGB", A4_AT_200_DPI, (255, 255, 255))
    clip.judge(BLANK, image, pages.classes())
    begin = time.process_time()
    for _ in range(times):
        clip.judge(BLANK, image, pages.classes())
    return (time.process_time() - begin) / times * 1000


if __name__ == "__main__":
    main()
