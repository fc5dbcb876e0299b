"""Which way up a page is: the axis of its lines by the nearest neighbours of its letters, up or down by a small classifier of lines.

Where the classifier is not installed, letters' ascenders decide up or down. Changes no image.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from docpipe.preprocess.ink import Image, blobs, ink, join_along_lines, quarter_turns, rotate, thumbnail
from docpipe.preprocess.lines import upside_down
from docpipe.preprocess.skew import measure_skew

AXIS_SIZE = 1400
LINES_SIZE = 1800
LEAST_LETTERS = 20
MOST_ASKED = 800
MOST_LETTERS = 6000
LETTER = (4, 60)  # pixels of the longer side, at the working size
MOST_LINES = 12
ENOUGH_LINES = 6
CLEAR = 0.8
# A page stays as it is unless the lines speak against it this clearly, both as they stand and turned. Measured: upside-down receipts and
# forms in Latin script -0.31 and less, upright pages in a script that the classifier was not made for -0.14 and more.
LEAST_SURE = 0.22
FEWEST_VOTES = 1.5  # and at least as much as so many sure lines
LINE_GAP = 17
LINE_HEIGHT = (9, 70)


def measure_turn(gray: Image) -> tuple[int, float]:
    """The quarter turns clockwise that set the page upright (0 to 3), and its skew in degrees once they are made.

    0 where too little is printed to tell.
    """
    sideways = _lines_run_down(gray)
    # Lines that run down the page may read from either end; one quarter turn lays them flat, the vote below finds the end.
    flat = quarter_turns(gray, 3) if sideways else gray
    skew = measure_skew(flat)
    return ((3 if sideways else 0) + (2 if _is_reversed(flat, skew) else 0)) % 4, skew


def _lines_run_down(gray: Image) -> bool:
    """Whether most letters have their nearest neighbour above or below rather than beside them."""
    found = blobs(ink(thumbnail(gray, AXIS_SIZE)))
    size = found.boxes[:, 2:].max(axis=1, initial=0)
    letters = (size >= LETTER[0]) & (size <= LETTER[1]) & (found.areas >= 8)
    centres, size = found.centres[letters], size[letters]
    if len(centres) < LEAST_LETTERS:
        return False
    step, distance, asked = _nearest(centres)
    angle = np.abs(np.degrees(np.arctan2(step[:, 1], step[:, 0])))[distance < 3 * size[asked]]
    across = np.count_nonzero((angle < 22) | (angle > 158))
    down = np.count_nonzero((angle > 68) & (angle < 112))
    return bool(down > across)


def _nearest(
    centres: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """For some of the points: the step to the nearest other, its length, and which points they are."""
    chance = np.random.default_rng(0)  # the same points each time: a page is read the same way twice
    if len(centres) > MOST_LETTERS:
        start = int(chance.integers(0, len(centres) - MOST_LETTERS + 1))
        usable = np.arange(start, start + MOST_LETTERS)  # neighbours in scan order, so a dense part of the page
    else:
        usable = np.arange(len(centres))
    asked = chance.choice(usable, min(MOST_ASKED, len(usable)), replace=False)
    points, others = centres[asked].astype(np.float64), centres[usable].astype(np.float64)
    square = (points**2).sum(1)[:, None] + (others**2).sum(1)[None] - 2 * points @ others.T
    square[np.arange(len(asked)), np.searchsorted(usable, asked)] = np.inf
    nearest = square.argmin(axis=1)
    step = (others[nearest] - points).astype(np.float32)
    return step, np.hypot(step[:, 0], step[:, 1]), asked


def _is_reversed(flat: Image, skew: float) -> bool:
    """Whether the page stands on its head. Asked of the lines as they stand and, where they deny being upright, of the same lines
    turned: to a script that it does not know, the classifier says anything, but then to both."""
    small = thumbnail(flat, LINES_SIZE)
    small = rotate(small, -skew) if abs(skew) > 0.15 else small
    binary = ink(small)
    boxes = _widest_lines(binary)
    standing = _votes(small, binary, boxes)
    if not standing or float(np.mean(standing)) >= 0:
        return False
    boxes = boxes[: len(standing)].copy()
    boxes[:, 0], boxes[:, 1] = small.shape[1] - boxes[:, 0] - boxes[:, 2], small.shape[0] - boxes[:, 1] - boxes[:, 3]
    turned = upside_down(quarter_turns(small, 2), quarter_turns(binary, 2), boxes)
    balance = (float(np.mean(standing)) - float(np.mean(turned or [0.0]))) / 2
    return balance < -LEAST_SURE and balance * len(standing) <= -FEWEST_VOTES


def _votes(small: Image, binary: Image, boxes: npt.NDArray[np.int32]) -> list[float]:
    """Each between 1, the line reads upright, and -1, it stands on its head; no more lines than it takes to be clear."""
    votes: list[float] = []
    for start in range(0, len(boxes), ENOUGH_LINES):
        votes += upside_down(small, binary, boxes[start : start + ENOUGH_LINES])
        if abs(float(np.mean(votes or [0.0]))) > CLEAR:
            break
    return votes


def _widest_lines(binary: Image) -> npt.NDArray[np.int32]:
    boxes = blobs(join_along_lines(binary, LINE_GAP)).boxes
    width, height = boxes[:, 2], boxes[:, 3]
    boxes = boxes[(width >= 3 * height) & (height >= LINE_HEIGHT[0]) & (height <= LINE_HEIGHT[1])]
    return boxes[np.argsort(-boxes[:, 2], kind="stable")][:MOST_LINES]
