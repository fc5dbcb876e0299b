"""Asking an index by text, by look, or by both: pages with what was found on them, ranked together.

Two rankings become one by reciprocal rank fusion: a page's score is the sum of 1 / (60 + its rank) over the rankings that have it. Cormack,
Clarke and Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods", SIGIR 2009.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from docpipe.errors import UsageError
from docpipe.records import Box, Document, Record, Word
from docpipe.search.fields import FieldValue
from docpipe.search.forms import MARK
from docpipe.search.index import FoundPage, Index
from docpipe.search.pages import lines_in, printed
from docpipe.search.query import Query, Term, parse
from docpipe.search.tokens import Token

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    from docpipe.looks import Embedder

SMOOTHING = 60  # the paper's k
DEPTH = 50  # pages of each ranking that are ranked together
MOST = 1000  # pages that a search may be asked for
AROUND = 6  # words of a snippet before and behind the first hit


class Hit(Record):
    """A word that was asked for, as it is printed: all the words that one term fits, and the box around them."""

    text: str
    box: Box | None


class Answer(Record):
    """One page that fits. `text_rank` and `look_rank` are its places in the two rankings, from 1; `cosine` is how alike it looks to what
    was asked. `whole` is false where only some of the query's terms are on it. `fields` are those of the newest result that is about the
    page."""

    document: Document
    page: int | None
    box: Box | None
    snippet: str
    score: float
    text_rank: int | None
    look_rank: int | None
    cosine: float | None
    whole: bool
    hits: tuple[Hit, ...]
    jobs: tuple[str, ...]
    schema_name: str | None
    status: str | None
    fields: tuple[FieldValue, ...]


def search(
    index: Index,
    text: str = "",
    *,
    like: Image | None = None,
    embedder: Embedder | None = None,
    tenant: str = "default",
    most: int = 10,
) -> list[Answer]:
    """The tenant's pages that fit best: by `text`, which may be anything (see `docpipe.search.query`), by the picture that they are to look
    `like`, or by both. With an embedder, text is looked for in the pictures as well. Raises MismatchError where the index's looks are
    another embedder's, UsageError where there is a picture and no page has a look, and what the embedder raises."""
    if like is not None and (embedder is None or index.embedder() is None):
        raise UsageError("no page of the index has a look", hint="docpipe index FILE... --looks NAME")
    query = parse(text, is_field=lambda name: index.is_field(name, tenant=tenant))
    depth = max(DEPTH, most)
    by_text, whole = index.rank(query, tenant=tenant, most=depth)
    near: list[tuple[int, float]] = []
    if embedder is not None and (look := _look(query, like, embedder)) is not None:
        near = index.near(look, query, tenant=tenant, embedder=embedder.identity, most=depth)
    by_look, cosines = [page for page, _ in near], dict(near)
    scores = fused([by_text, by_look])
    text_ranks, look_ranks = _ranks(by_text), _ranks(by_look)
    best = sorted(scores, key=lambda page: (-scores[page], text_ranks.get(page, depth + 1), -page))[:most]
    return [
        _answer(page, query, scores[page.id], text_ranks.get(page.id), look_ranks.get(page.id), cosines.get(page.id), whole=whole)
        for page in index.pages(best, tenant=tenant)
    ]


def fused(rankings: Sequence[Sequence[int]]) -> dict[int, float]:
    """The score of each page that any ranking has."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for place, page in enumerate(ranking, 1):
            scores[page] = scores.get(page, 0.0) + 1 / (SMOOTHING + place)
    return scores


def _look(query: Query, like: Image | None, embedder: Embedder) -> np.ndarray | None:
    """The vector that pages are to look like: the picture's where there is one, else the text's; None where there is neither."""
    look: np.ndarray | None = None
    if like is not None:
        look = embedder.images([like])[0]
    elif query.text:
        look = embedder.texts([query.text])[0]
    return look


def _ranks(pages: Sequence[int]) -> Mapping[int, int]:
    return {page: place for place, page in enumerate(pages, 1)}


def _answer(
    page: FoundPage, query: Query, score: float, text_rank: int | None, look_rank: int | None, cosine: float | None, *, whole: bool
) -> Answer:
    forms = any(token.startswith(MARK) for term in query.terms for phrase in term.phrases for token in phrase.tokens)
    tokens = printed(lines_in(page.words), forms=forms) if query.terms else []
    spans = sorted(set(_spans(tokens, query.terms)))
    hits = tuple(_hit(page.words[first : last + 1], boxed=page.number > 0) for first, last in spans)
    facts = page.facts
    return Answer(
        document=page.document,
        page=page.number or None,
        box=hits[0].box if hits else None,
        snippet=_snippet(page.words, spans),
        score=score,
        text_rank=text_rank,
        look_rank=look_rank,
        cosine=cosine,
        whole=whole and text_rank is not None,
        hits=hits,
        jobs=page.jobs,
        schema_name=facts.schema_name if facts else None,
        status=facts.status if facts else None,
        fields=facts.fields if facts else (),
    )


def _spans(tokens: Sequence[Token], terms: Sequence[Term]) -> Iterator[tuple[int, int]]:
    """The first and the last word of every place where a term stands."""
    places: dict[str, list[int]] = {}
    for place, token in enumerate(tokens):
        places.setdefault(token.text, []).append(place)
    for phrase in {phrase for term in terms for phrase in term.phrases}:
        first, *others = phrase.tokens
        begins = _beginning(first, places) if phrase.prefix and not others else places.get(first, ())
        for start in begins:
            if _goes_on([token.text for token in tokens[start + 1 : start + len(phrase.tokens)]], others, prefix=phrase.prefix):
                yield tokens[start].first, tokens[start + len(others)].last


def _beginning(prefix: str, places: Mapping[str, list[int]]) -> list[int]:
    """Where words stand that begin so."""
    return [place for text, at in places.items() if text.startswith(prefix) for place in at]


def _goes_on(texts: Sequence[str], wanted: Sequence[str], *, prefix: bool) -> bool:
    """Whether the phrase's other tokens follow."""
    if prefix and wanted and len(texts) == len(wanted):
        return [*texts[:-1]] == [*wanted[:-1]] and texts[-1].startswith(wanted[-1])
    return [*texts] == [*wanted]


def _hit(words: Sequence[Word], *, boxed: bool) -> Hit:
    box = (min(word.x0 for word in words), min(word.y0 for word in words), max(word.x1 for word in words), max(word.y1 for word in words))
    return Hit(text=" ".join(word.text for word in words), box=box if boxed else None)


def _snippet(words: Sequence[Word], spans: Sequence[tuple[int, int]]) -> str:
    """The words around the first hit, hits in square brackets; the page's first words where nothing was hit."""
    first, last = spans[0] if spans else (0, 0)
    start, end = max(0, first - AROUND), min(len(words), last + 1 + AROUND)
    opens, closes = {one for one, _ in spans}, {one for _, one in spans}
    said = (f"{'[' * (place in opens)}{words[place].text}{']' * (place in closes)}" for place in range(start, end))
    return f"{'... ' * (start > 0)}{' '.join(said)}{' ...' * (end < len(words))}"
