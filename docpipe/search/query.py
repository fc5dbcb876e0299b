"""What somebody typed -> what is asked of an index. Any text is a query; none is an error. Knows how a query is written, no database.

oak board            pages with both words
"oak board"          one after the other
inv*                 a word that begins so
1.234,50             the number, however it is printed; so with dates and identifiers
schema:invoice       of the result: also status, name, job and every field that the index knows
seller.name:acme     a word of the field's value
gross_total=1190     the field's whole value
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from docpipe.records import Record
from docpipe.search.fields import IS, SAYS, field_name, filter_token, keys_of
from docpipe.search.forms import MARK, compact, dates_of, forms_of, is_split_number, runs_of
from docpipe.search.tokens import LONGEST, Line, is_unspaced, tokens_of

MOST_TERMS = 32  # of a query; what stands behind them is left out
MOST_TOKENS = 16  # of a phrase
MOST_CHARACTERS = 4000
OF_DOCUMENTS = ("schema", "status", "name", "job")
_PART = re.compile(r'(?P<name>[^\W\d][\w.\[\]-]*)(?P<how>[:=])(?P<value>"[^"]*"?|[^\s"]+)|"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+)')


class Phrase(Record):
    """Tokens that follow each other; of the last one only the beginning where it is a `prefix`."""

    tokens: tuple[str, ...]
    prefix: bool = False


class Term(Record):
    """One of these is to be on the page. `text` is what was typed."""

    text: str
    phrases: tuple[Phrase, ...]


class Query(Record):
    """All `terms` are wanted, and all `filters`; `text` is what was typed without the filters, for who looks at pictures."""

    terms: tuple[Term, ...] = ()
    filters: tuple[Term, ...] = ()
    text: str = ""


class _Chunk(NamedTuple):
    """Typed words that are looked for together."""

    texts: tuple[str, ...]
    prefix: bool = False


def parse(text: str, *, is_field: Callable[[str], bool] = lambda name: False) -> Query:
    """The query that was typed; `is_field` says whether the index has a field of that name, else `name:value` is text like any other."""
    terms: list[Term] = []
    filters: list[Term] = []
    said: list[str] = []
    words: list[str] = []

    def end_words() -> None:
        terms.extend(filter(None, map(_term, _chunks(words))))
        words.clear()

    for part in _PART.finditer(text[:MOST_CHARACTERS]):
        name = field_name(part["name"] or "")
        if part["name"] and (name in OF_DOCUMENTS or is_field(name)):
            filters += _filters(name, part["how"], part["value"].strip('"'))
            continue
        said.append(part["phrase"] or part[0].replace('"', " "))
        if part["phrase"] is None:
            words += part[0].replace('"', " ").split()
            continue
        end_words()
        terms.extend(filter(None, [_term(_Chunk(tuple(part["phrase"].split())))]))
    end_words()
    return Query(terms=tuple(terms[:MOST_TERMS]), filters=tuple(filters[:MOST_TERMS]), text=" ".join(said).strip())


def _chunks(words: Sequence[str]) -> Iterator[_Chunk]:
    """The words, those taken together that are one date or one identifier."""
    line = Line(0, tuple(words))
    spans = sorted((token.first, token.last) for token in (*dates_of(line), *runs_of(line)) if token.first < token.last)
    place = 0
    while place < len(words):
        end = next((last for first, last in spans if first == place), place) + 1
        yield _Chunk(tuple(word.rstrip("*") for word in words[place:end]), prefix=words[end - 1].endswith("*"))
        place = end


def _term(chunk: _Chunk) -> Term | None:
    """The words as printed, or in the form that stands for all ways to print them; None where nothing of them can be looked for."""
    line = Line(0, chunk.texts)
    tokens = [token.text for token in tokens_of(line)][:MOST_TOKENS]
    if not tokens:
        return None
    phrases = [_printed(tokens, chunk.prefix)]
    if not chunk.prefix:
        phrases += [Phrase(tokens=(form,)) for form in _forms(line)]
    return Term(text=" ".join(chunk.texts), phrases=tuple(dict.fromkeys(phrases)))


def _printed(tokens: list[str], prefix: bool) -> Phrase:
    """A run of pairs ends in its last pair: on a page it may go on. One character alone begins pairs, and is a prefix."""
    if len(tokens[-1]) == 1 and is_unspaced(tokens[-1]):
        if len(tokens) > 1 and is_unspaced(tokens[-2]) and tokens[-2].endswith(tokens[-1]):
            return Phrase(tokens=tuple(tokens[:-1]))
        prefix = True
    return Phrase(tokens=tuple(tokens), prefix=prefix)


def _forms(line: Line) -> Iterator[str]:
    """The whole text's forms as number, date or identifier; each also as a word that is printed so."""
    last = len(line.texts) - 1
    forms = [token.text for token in forms_of(line) if (token.first, token.last) == (0, last)]
    whole = compact("".join(line.texts))
    if any(char.isdigit() for char in whole) and not is_split_number(line.texts):
        forms.append((MARK + whole)[:LONGEST])
    for form in dict.fromkeys(forms):
        yield form
        if form.removeprefix(MARK).isalnum():
            yield form.removeprefix(MARK)


def _filters(name: str, how: str, value: str) -> Iterator[Term]:
    """What a field is to say: a value that has a form of its own as a whole, any other word by word."""
    text = f"{name}{how}{value}"
    line = Line(0, tuple(value.split()))
    if how == IS:
        yield Term(text=text, phrases=tuple(Phrase(tokens=(filter_token(name, IS, key),)) for key in keys_of(line)))
        return
    forms = [form.removeprefix(MARK) for form in _forms(line)]
    tokens = [token.text for token in tokens_of(line)]
    if forms:
        said = dict.fromkeys([*forms, *(tokens if len(tokens) == 1 else ())])
        yield Term(text=text, phrases=tuple(Phrase(tokens=(filter_token(name, SAYS, form),)) for form in said))
        return
    # A value that nothing can be looked for in, such as `seller.name:?`, fits no page: to leave it out would fit every page.
    printed = _printed(tokens[:MOST_TOKENS], value.endswith("*")) if tokens else Phrase(tokens=("",))
    for token in printed.tokens:
        ends = printed.prefix and token == printed.tokens[-1]
        yield Term(text=text, phrases=(Phrase(tokens=(filter_token(name, SAYS, token),), prefix=ends),))
