"""How fast a search index answers, and what it costs: drawn pages of words from a Zipf vocabulary, with numbers and random vectors.

    python benchmarks/search.py sqlite:////tmp/bench.sqlite --pages 100000
    python benchmarks/search.py postgresql+psycopg://... --pages 100000

The database has to be empty. Milliseconds of wall time, bytes and CPU milliseconds (of this process) a page.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable

import numpy as np

from docpipe.records import Document, Word, Words
from docpipe.search import Entry, Facts, FieldValue, PageEntry, open_index
from docpipe.search.query import parse

WORDS, SIZE, VOCABULARY, PER_DOCUMENT = 300, 512, 50_000, 4
TENANT, EMBEDDER = "default", "random"
REPEATS = 40
LETTERS = "bcdfghjklmnprstvz"
VOWELS = "aeiou"


def vocabulary(rng: random.Random) -> list[str]:
    """Words that could be spoken, the same for the same seed."""
    found: dict[str, None] = {}
    while len(found) < VOCABULARY:
        found["".join(rng.choice(LETTERS) + rng.choice(VOWELS) for _ in range(rng.randint(1, 4)))] = None
    return list(found)


class Drawn:
    """Pages of 300 words, ten a line; one in fifteen is a number as it could be printed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.numbers = np.random.RandomState(seed)
        self.words = vocabulary(self.rng)
        weights = 1 / (np.arange(VOCABULARY) + 2.7)  # Mandelbrot's form of Zipf's law
        self.shares = weights.cumsum() / weights.sum()

    def page(self, number: int) -> PageEntry:
        drawn = np.searchsorted(self.shares, self.numbers.random_sample(WORDS))
        texts = [self.number() if place % 15 == 7 else self.words[rank] for place, rank in enumerate(drawn)]
        at = [(40 + 52 * (place % 10), 40 + 24 * (place // 10)) for place in range(WORDS)]
        words = tuple(
            Word(text, x, y, x + 48, y + 10, line=place // 10) for place, (text, (x, y)) in enumerate(zip(texts, at, strict=True))
        )
        return PageEntry(Words(page=number, width=595, height=842, source="text_layer", words=words), self.look())

    def number(self) -> str:
        euros, cents = self.rng.randint(1, 99_999), self.rng.randint(0, 99)
        forms = (f"{euros:,}.{cents:02}", f"{euros:,}".replace(",", ".") + f",{cents:02}", f"RE-{euros:05}/{cents:02}", str(euros))
        return self.rng.choice(forms)

    def look(self) -> np.ndarray:
        vector = self.numbers.standard_normal(SIZE).astype(np.float32)
        return vector / np.linalg.norm(vector)

    def entry(self, number: int) -> Entry:
        sha256 = f"{number:064x}"
        fields = (
            FieldValue(path="invoice_number", value=f"RE-{number:06}", page=1),
            FieldValue(path="seller.name", value=f"{self.words[number % 997]} GmbH", page=1),
            FieldValue(path="gross_total", value=f"{number % 5000}.50", page=1),
        )
        facts = Facts(schema_name="invoice", status="review" if number % 10 == 0 else "accepted", sha256=sha256, fields=fields)
        document = Document(name=f"{number}.pdf", sha256=sha256, media_type="application/pdf", pages=PER_DOCUMENT)
        pages = tuple(self.page(place + 1) for place in range(PER_DOCUMENT))
        return Entry(document=document, pages=pages, facts=(facts,), tenant=TENANT, embedder=EMBEDDER)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--asked-only", action="store_true", help="the index is filled already")
    arguments = parser.parse_args()
    drawn, index = Drawn(arguments.seed), open_index(arguments.url)
    if not arguments.asked_only:
        spent = 0.0
        for number in range(arguments.pages // PER_DOCUMENT):
            entry = drawn.entry(number)
            before = time.process_time()
            index.add(entry)
            spent += time.process_time() - before
        print(f"{1000 * spent / arguments.pages:.2f} CPU ms a page")
    figures = index.figures(tenant=TENANT)
    print(f"{figures.pages} pages, {figures.size / figures.pages:.0f} bytes a page")
    for name, ask in questions(index, drawn).items():
        took = sorted(timed(ask) for _ in range(REPEATS))
        print(f"{name:<34} p50 {1000 * statistics.median(took):6.0f}   p95 {1000 * took[int(0.95 * REPEATS)]:6.0f}")
    index.close()


def questions(index, drawn: Drawn) -> dict[str, Callable[[], object]]:
    """What is asked, each time with other words: ranked pages, and what they say."""
    words, rng = drawn.words, random.Random(99)

    def text(make: Callable[[], str], *, like: bool = False) -> Callable[[], object]:
        def ask() -> object:
            query = parse(make(), is_field=lambda name: index.is_field(name, tenant=TENANT))
            found = index.rank(query, tenant=TENANT, most=100)[0] if query.terms or query.filters else []
            if like:
                found += [page for page, _ in index.near(drawn.look(), query, tenant=TENANT, embedder=EMBEDDER, most=100)]
            return index.pages(found[:10], tenant=TENANT)

        return ask

    def some(low: int, high: int, count: int) -> str:
        return " ".join(words[rng.randrange(low, high)] for _ in range(count))

    return {
        "a seldom word": text(lambda: some(5000, 40_000, 1)),
        "a word": text(lambda: some(100, 5000, 1)),
        "a word of most pages": text(lambda: some(0, 5, 1)),
        "three words": text(lambda: some(50, 3000, 3)),
        "three words of most pages": text(lambda: some(0, 10, 3)),
        "thirty words, none has all": text(lambda: some(0, 5000, 30)),
        "phrase of two frequent words": text(lambda: f'"{some(0, 30, 2)}"'),
        "number": text(drawn.number),
        "prefix of two letters": text(lambda: words[rng.randrange(50)][:2] + "*"),
        "word and field": text(lambda: f"{some(0, 500, 1)} seller.name:{words[rng.randrange(997)]}"),
        "word of most pages and status": text(lambda: f"{some(0, 5, 1)} status:review"),
        "status alone": text(lambda: "status:review"),
        "like": text(lambda: "", like=True),
        "like, of a status": text(lambda: "status:review", like=True),
        "word and like": text(lambda: some(0, 500, 1), like=True),
    }


def timed(ask: Callable[[], object]) -> float:
    begin = time.perf_counter()
    ask()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
