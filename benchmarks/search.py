"""How fast a search index answers, and what it costs: drawn pages of words from a Zipf vocabulary, with numbers and random vectors.

    python benchmarks/search.py sqlite:////tmp/bench.sqlite --pages 100000
    python benchmarks/search.py postgresql+psycopg://... --pages 100000

The database has to be empty. The first pages are put in by `Index.add`, which is what their CPU milliseconds say; the others in bulk, with
the same rows and tokens. Then each kind of query is asked with ever other words, as `docpipe.search.search` does, answers and all.
"""

import argparse
import gc
import random
import statistics
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from docpipe.looks import Embedder
from docpipe.records import Document, Word, Words
from docpipe.search import Entry, Facts, FieldValue, PageEntry, open_index, search, tables
from docpipe.search.fields import says
from docpipe.search.forms import forms_of
from docpipe.search.pages import pack, pack_facts, page_tokens
from docpipe.search.rows import whose
from docpipe.search.tokens import Line, tokens_of

WORDS, SIZE, VOCABULARY, NUMBERS, PER_DOCUMENT = 300, 512, 50_000, 20_000, 4
ADDED = 2000  # pages that are put in one document at a time
TOGETHER = 250  # documents that are put in in one transaction, of the others
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
    """Pages of 300 words, ten a line; one word in fifteen is a number as it could be printed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.numbers = np.random.RandomState(seed)
        self.words = vocabulary(self.rng)
        self.amounts = [self.number() for _ in range(NUMBERS)]
        self.tokens = {text: [token.text for token in tokens_of(Line(0, (text,)))] for text in (*self.words, *self.amounts)}
        self.forms = {text: [token.text for token in forms_of(Line(0, (text,)))] for text in self.amounts}
        weights = 1 / (np.arange(VOCABULARY) + 2.7)  # Mandelbrot's form of Zipf's law
        self.shares = weights.cumsum() / weights.sum()
        self.at = [(40 + 52 * (place % 10), 40 + 24 * (place // 10)) for place in range(WORDS)]

    def texts(self) -> list[str]:
        ranks = np.searchsorted(self.shares, self.numbers.random_sample(WORDS))
        return [self.rng.choice(self.amounts) if place % 15 == 7 else self.words[rank] for place, rank in enumerate(ranks)]

    def page(self, number: int) -> PageEntry:
        placed = enumerate(zip(self.texts(), self.at, strict=True))
        words = tuple(Word(text, x, y, x + 48, y + 10, line=place // 10) for place, (text, (x, y)) in placed)
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

    def tokens_of(self, entry: Entry, page: PageEntry) -> list[str]:
        """What `page_tokens` makes of the page, put together from what is known of each word; numbers beside each other make no longer one
        here, as there are none."""
        texts = [word.text for word in page.words.words]
        head = page_tokens(
            [], page.words.page, entry.facts, [whose(TENANT), *says("name", entry.document.name), *says("job", entry.holder)]
        )
        printed = [token for text in texts for token in self.tokens[text]]
        return head + printed + [form for text in texts if text in self.forms for form in self.forms[text]]


class Random(Embedder):
    """Sees something else each time."""

    name, identity, size = EMBEDDER, EMBEDDER, SIZE

    def images(self, images):
        return np.stack([self.checkpoint.look() for _ in images])

    texts = images


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--asked-only", action="store_true", help="the index is filled already")
    arguments = parser.parse_args()
    drawn, index = Drawn(arguments.seed), open_index(arguments.url)
    if not arguments.asked_only:
        first, last = ADDED // PER_DOCUMENT, arguments.pages // PER_DOCUMENT
        entries = [drawn.entry(number) for number in range(first)]
        begin = time.process_time()
        for entry in entries:
            index.add(entry)
        print(f"{1000 * (time.process_time() - begin) / ADDED:.2f} CPU ms a page", flush=True)
        for number in range(first, last, TOGETHER):
            put(index, drawn, [drawn.entry(one) for one in range(number, min(last, number + TOGETHER))])
    figures = index.figures(tenant=TENANT)
    print(f"{figures.pages} pages, {figures.size / figures.pages:.0f} bytes a page", flush=True)
    gc.freeze()  # what was drawn is not to be looked through for garbage while others are timed
    print(f"{'milliseconds':<34} wall p50   p95    CPU p50   p95")
    for name, ask in questions(index, drawn).items():
        times = [timed(ask) for _ in range(REPEATS)]
        walls, spent = (sorted(column) for column in zip(*times, strict=True))
        print(f"{name:<34} {said(walls)}    {said(spent)}", flush=True)
    index.close()


def put(index, drawn: Drawn, entries: list[Entry]) -> None:
    """The documents as `Index.add` would leave them, in one transaction."""
    engine = index._engine
    with index._database.write() as tx:
        for entry in entries:
            values = entry.document.model_dump(include={"sha256", "name", "media_type", "pages"})
            made = tables.document.insert().values(tenant=TENANT, **values).returning(tables.document.c.id)
            row = tx.execute(made).scalar()
            tx.execute(tables.holder.insert().values(document=row, name=entry.holder, facts=pack_facts(entry.facts), turn=1))
            for page in entry.pages:
                words = page.words
                values = {"number": words.page, "width": words.width, "height": words.height, "words": pack(words), "has_look": True}
                made = tables.page.insert().values(document=row, **values).returning(tables.page.c.id)
                number = tx.execute(made).scalar()
                engine.put_text(tx, number, drawn.tokens_of(entry, page))
                engine.put_look(tx, number, TENANT, page.look)


def questions(index, drawn: Drawn) -> dict[str, Callable[[], object]]:
    """What is asked, each time with other words."""
    words, rng, seeing = drawn.words, random.Random(99), Random(drawn)
    picture = Image.new("RGB", (8, 8))

    def text(make: Callable[[], str], *, like: bool = False) -> Callable[[], object]:
        more = {"like": picture, "embedder": seeing} if like else {}
        return lambda: search(index, make(), tenant=TENANT, **more)

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
        "number": text(lambda: rng.choice(drawn.amounts)),
        "prefix of two letters": text(lambda: words[rng.randrange(50)][:2] + "*"),
        "word and field": text(lambda: f"{some(0, 500, 1)} seller.name:{words[rng.randrange(997)]}"),
        "word of most pages and status": text(lambda: f"{some(0, 5, 1)} status:review"),
        "status alone": text(lambda: "status:review"),
        "like": text(lambda: "", like=True),
        "like, of a status": text(lambda: "status:review", like=True),
        "word and like": text(lambda: some(0, 500, 1), like=True),
    }


def said(times: list[float]) -> str:
    return f"{1000 * statistics.median(times):8.0f} {1000 * times[int(0.95 * REPEATS)]:5.0f}"


def timed(ask: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall time and of this process's CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    ask()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
