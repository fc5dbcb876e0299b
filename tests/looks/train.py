"""Trains the model in `checkpoint/`, a small one of CLIP's kind: about two minutes of one core, from random weights, on drawn pages.

    cd tests && OMP_NUM_THREADS=1 ../.venv/bin/python -m looks.train

It learns to lay a page's picture beside the captions that `docpipe classify` writes of the classes of `pages.py`, and nothing else: after a
change of those captions it is to be trained anew. Pages for the tests are drawn from another seed and with other faces.
"""

import argparse
import json
import logging
import math
import random
import time
from pathlib import Path

import numpy as np
import pymupdf
import torch
from looking import clip, save, tokenizer

from docpipe.classify._zero_shot.prompts import options_of, prompts
from docpipe.looks._towers import letterboxed
from looks.pages import KINDS, classes, draw, picture

log = logging.getLogger(__name__)
CHECKPOINT = Path(__file__).with_name("checkpoint")
TAUGHT = "captions.json"  # of which the model knows nothing: it is for whoever changes them
SEED = 0
SIDE, PATCH, WIDE, DEEP = 64, 8, 64, 2
EACH = 150  # pages of a kind that are drawn for the training
STEPS, BATCH, RATE = 700, 48, 2e-3
DPI = (50, 72, 100)  # at which small print is of several grays
SHIFT = 4  # pixels that a page is moved by as it is learnt
OWN_PHRASE = {"drawing": "a drawing", "chart": "a chart"}  # of the kinds that are no class: they are unknown


def captions() -> list[tuple[str, tuple[str, ...]]]:
    """What each option may be called; the phrases for unknown each by themselves."""
    options = options_of(classes())
    known = [(option.name, option.phrases) for option in options if option.name != "unknown"]
    return known + [(phrase, (phrase,)) for option in options if option.name == "unknown" for phrase in option.phrases]


def untrained():
    """Model, image processor and tokenizer."""
    written = [text for _, phrases in captions() for phrase in phrases for text in prompts(phrase)]
    tokens = tokenizer(written, size=480)
    paper = {"image_mean": [1.0] * 3, "image_std": [0.3] * 3}  # white is 0
    return clip(paper=paper, side=SIDE, patch=PATCH, wide=WIDE, deep=DEEP, tokens=tokens, positions=64, projection=32)


def drawn(each: int) -> tuple[torch.Tensor, list[str]]:
    """Pages as the model sees them, and their kinds."""
    chance, kinds = random.Random(SEED), list(KINDS) * each
    pictures = [np.array(letterboxed(picture(draw(pymupdf.open(), kind, chance), dpi=chance.choice(DPI)), SIDE)) for kind in kinds]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2), kinds


def train(folder: Path, *, steps: int = STEPS, each: int = EACH) -> list[float]:
    """Leaves the checkpoint in `folder`, in half precision; the losses of all steps."""
    torch.manual_seed(SEED)
    chance = random.Random(SEED)
    model, processor, tokens = untrained()
    pages, kinds = drawn(each)
    names, phrases = zip(*captions(), strict=True)
    truth = torch.tensor([names.index(OWN_PHRASE.get(kind, kind)) for kind in kinds])
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.05)
    losses = []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / 20) * (0.51 + 0.49 * math.cos(math.pi * step / steps))
        some = torch.tensor(chance.choices(range(len(kinds)), k=BATCH))
        said = [chance.choice(prompts(chance.choice(called))) for called in phrases]
        odds = model(pixel_values=_seen(pages[some], processor, chance), **tokens(said, padding=True, return_tensors="pt")).logits_per_image
        loss = torch.nn.functional.cross_entropy(odds, truth[some])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if step % 50 == 49:
            log.info("step %d  loss %.4f  %.0f s", step + 1, sum(losses[-20:]) / 20, time.process_time())
    save(folder, model.eval().half(), processor, tokens)
    (folder / TAUGHT).write_text(json.dumps(captions()), encoding="utf-8")
    return losses


def _seen(pages: torch.Tensor, processor, chance: random.Random) -> torch.Tensor:
    """The pages, moved a little, as the processor hands them on."""
    moved = torch.nn.functional.pad(pages, (SHIFT,) * 4, value=255)
    at = [(chance.randrange(2 * SHIFT + 1), chance.randrange(2 * SHIFT + 1)) for _ in pages]
    pages = torch.stack([page[:, y : y + SIDE, x : x + SIDE] for page, (x, y) in zip(moved, at, strict=True)])
    mean, spread = (torch.tensor(numbers).view(3, 1, 1) for numbers in (processor.image_mean, processor.image_std))
    return (pages / 255 - mean) / spread


def main() -> None:
    parser = argparse.ArgumentParser(description="train the small model that tells drawn pages apart")
    parser.add_argument("--out", type=Path, default=CHECKPOINT)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    train(given.out)


if __name__ == "__main__":
    main()
