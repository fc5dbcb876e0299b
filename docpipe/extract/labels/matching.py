"""Finds printed labels: where on the pages the phrases of the fields, of their groups and of common other values occur.

Knows text and phrases, no value; a label may be misread, inside a longer one, or run over several lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from docpipe.extract.labels.cells import Grid
from docpipe.extract.labels.context import judged_labels, lettered
from docpipe.extract.labels.label import NOBODY, OTHER, Label, Labels
from docpipe.extract.labels.layout import PageLayout, Segment, box_of
from docpipe.extract.labels.lexicon import DISTRACTORS, NUMBER_WORDS, OTHER_PARTY
from docpipe.extract.labels.phrases import Phrase, Target, label_key, later_key
from docpipe.extract.labels.soft import Chain, SoftLabels
from docpipe.extract.labels.spelling import FuzzyKeys
from docpipe.extract.labels.weights import WEIGHTS
from docpipe.values.text import fold

SHORTEST_END = 5  # letters


@dataclass(frozen=True)
class _Entry:
    owner: str
    phrase: Phrase
    heading: bool


@dataclass(frozen=True, eq=False)
class _Stack:
    """Lines of one column read as one text; `parts[i]` is the segment that word i belongs to, and its index there."""

    keys: tuple[tuple[str, str], ...]
    parts: tuple[tuple[Segment, int], ...]


def find_labels(layouts: Sequence[PageLayout], targets: Sequence[Target]) -> Labels:
    """Every occurrence of every phrase, the best one per owner and place."""
    entries, fuzzy = _phrase_book(tuple(targets), any(page.source != "text_layer" for page in layouts))
    chains = [chain for page in layouts for chain in _chains(page)]
    best = _by_phrases(layouts, chains, entries, fuzzy)
    for label in _bridged(layouts, targets):
        place = (label.owner, False, label.segment, label.start)
        if place not in best or best[place][1].end < label.end:
            best[place] = (0.0, label)
    for label in _vertical(layouts, entries):
        best[label.owner, True, label.segment, 0] = (0.0, label)
    soft = [_soft_label(*found) for found in SoftLabels(targets).find(layouts, chains)]
    return judged_labels([label for _, label in best.values()], soft, layouts, targets)


_Spot = tuple[str, bool, Segment, int]  # owner, heading or not, where the label is
_Best = dict[_Spot, tuple[float, Label]]


def _by_phrases(
    layouts: Sequence[PageLayout], chains: Sequence[Chain], entries: Mapping[str, list[_Entry]], fuzzy: FuzzyKeys
) -> dict[_Spot, tuple[float, Label]]:
    """The best label of every owner at every place, with its rank."""
    best: _Best = {}
    for page in layouts:
        for stack in _stacks(page, [chain for chain in chains if chain[0].page == page.number]):
            for key, first, last in _grams(stack, fuzzy.longest):
                for known, similarity in fuzzy.matches(key):
                    if similarity < 1 and _short_end(stack, first, last):
                        continue
                    _keep_best(best, [_label(entry, similarity, stack, first, last) for entry in entries[known]], first)
    return best


def _keep_best(best: _Best, found: Sequence[tuple[Label, float]], first: int) -> None:
    for label, rank in found:
        spot = (label.owner, label.heading, label.segment, label.start if label.lines == 1 else -first - 1)
        if spot not in best or rank > best[spot][0]:
            best[spot] = (rank, label)


def _short_end(stack: _Stack, first: int, last: int) -> bool:
    """The run's part on its last line is so short that a misread label would be found without it."""
    end = stack.parts[last - 1][0]
    if end is stack.parts[first][0]:
        return False
    return sum(len(part.words[place].text) for part, place in stack.parts[first:last] if part is end) < SHORTEST_END


@lru_cache(maxsize=16)
def _phrase_book(targets: tuple[Target, ...], ocr: bool) -> tuple[dict[str, list[_Entry]], FuzzyKeys]:
    """A schema's phrases, and what finds them misspelt; made once per schema."""
    entries = _entries(targets)
    return entries, FuzzyKeys(list(entries), ocr=ocr)


def _entries(targets: Sequence[Target]) -> dict[str, list[_Entry]]:
    """Squashed phrase -> whose it is."""
    entries: defaultdict[str, list[_Entry]] = defaultdict(list)
    for target in targets:
        for phrase in target.phrases:
            entries[phrase.key].append(_Entry(target.spec.path, phrase, heading=False))
    for group, sections in {target.group: target.spec.sections for target in targets if target.group}.items():
        for text in sections or (group.rpartition(".")[2].replace("_", " "),):
            entries[label_key(text)].append(_Entry(group, Phrase(fold(text), label_key(text), 1.0), heading=True))
    for text in OTHER_PARTY:
        entries[label_key(text)].append(_Entry(OTHER, Phrase(text, label_key(text), 1.0), heading=True))
    for text in DISTRACTORS | {negative for target in targets for negative in target.negatives}:
        entries[label_key(text)].append(_Entry(NOBODY, Phrase(text, label_key(text), 1.0), heading=False))
    entries.pop("", None)
    return dict(entries)


@lru_cache(maxsize=65536)
def _word_keys(text: str) -> tuple[str, str]:
    """A word as the first of a label, and as a later one, where a word for 'number' is `#`."""
    return label_key(text), later_key(text)


def _bridged(layouts: Sequence[PageLayout], targets: Sequence[Target]) -> Iterator[Label]:
    """`Trade invoice (380) No. 17`: the words of `invoice number` with something between them, or as the end of a compound."""
    for target in targets:
        bases = {phrase.key[:-1]: phrase for phrase in target.phrases if phrase.key.endswith("#") and len(phrase.key) > 4}
        if target.kind != "id" or not bases:
            continue
        for page in layouts:
            for segment in page.segments:
                yield from _bridges(target.spec.path, bases, segment)


def _bridges(path: str, bases: Mapping[str, Phrase], segment: Segment) -> Iterator[Label]:
    words = [fold(word.text) for word in segment.words[: WEIGHTS.words_matched]]
    for end, word in enumerate(words):
        if word not in NUMBER_WORDS:
            continue
        for start in range(max(0, end - WEIGHTS.longest_bridge), end):
            base = next((base for base in bases if words[start].endswith(base)), None)
            if base:
                box = box_of(segment.words[start : end + 1])
                similarity = WEIGHTS.bridge if words[start] == base else WEIGHTS.bridge_compound
                yield Label(path, bases[base], similarity, segment, start, end + 1, box)


def _vertical(layouts: Sequence[PageLayout], entries: Mapping[str, list[_Entry]]) -> Iterator[Label]:
    """Headings of groups that are written downwards in a narrow cell, a letter or two a line."""
    for page in layouts:
        short = [segment for segment in page.segments if len(segment.text) <= 2 and segment.text.isalpha()]
        grid = Grid(page) if len(short) >= 3 else None
        seen = set()
        for segment in short if grid else ():
            cell = grid.cell(segment.box) if grid else None
            if cell is None or cell.box in seen or cell.box[3] - cell.box[1] < 2 * (cell.box[2] - cell.box[0]):
                continue
            seen.add(cell.box)
            text = "".join(part.text for part in sorted(cell.segments, key=lambda part: part.y0))
            for entry in entries.get(label_key(text), ()):
                if entry.heading:
                    yield Label(entry.owner, entry.phrase, 1.0, segment, 0, len(segment.words), cell.box, heading=True, vertical=True)


def _soft_label(target: Target, chain: Chain, phrase: Phrase) -> Label:
    last = chain[-1]
    box = box_of([word for segment in chain for word in segment.words])
    return Label(target.spec.path, phrase, 1.0, last, 0, len(last.words), box, lines=len(chain), soft=True)


def _stacks(page: PageLayout, chains: Sequence[Chain]) -> Iterator[_Stack]:
    """Each segment by itself, and short segments with one or two that continue them below."""
    for segment in page.segments:
        keys = tuple(_word_keys(word.text) for word in segment.words[: WEIGHTS.words_matched + WEIGHTS.longest_label])
        yield _Stack(keys, tuple((segment, place) for place in range(len(keys))))
    for chain in chains:
        parts = tuple((segment, place) for segment in chain for place in range(len(segment.words)))
        yield _Stack(tuple(_word_keys(segment.words[place].text) for segment, place in parts), parts)


def _chains(page: PageLayout) -> Iterator[tuple[Segment, ...]]:
    """Two and three lines of one column, each short and close under the other."""
    below: dict[Segment, Segment] = {}
    for upper_line, segments in enumerate(page.lines):
        lower = [low for line in page.lines[upper_line + 1 : upper_line + 4] for low in line]
        for segment in segments:
            if len(segment.words) <= WEIGHTS.longest_label:
                following = next((low for low in lower if low.x0 < segment.x1 and low.x1 > segment.x0 and _continues(segment, low)), None)
                if following is not None:
                    below[segment] = following
    for segment, second in below.items():
        yield segment, second
        if second in below:
            yield segment, second, below[second]


def _continues(upper: Segment, lower: Segment) -> bool:
    height = max(upper.height, lower.height)
    if not (0.4 * height < lower.y0 - upper.y0 < 1.7 * height) or min(upper.height, lower.height) < 0.75 * height:
        return False
    if len(lower.words) > WEIGHTS.longest_label or upper.text.rstrip().endswith(":"):
        return False
    left, centre = abs(upper.x0 - lower.x0), abs(upper.x0 + upper.x1 - lower.x0 - lower.x1) / 2
    return (left < 2.5 * height or centre < height) and min(upper.x1, lower.x1) > max(upper.x0, lower.x0)


def _grams(stack: _Stack, longest: int) -> Iterator[tuple[str, int, int]]:
    """Squashed runs of words, `first:last`; of a stack only the runs that reach over a line's end."""
    lone = stack.parts[0][0] is stack.parts[-1][0]
    for first in range(min(len(stack.keys), WEIGHTS.words_matched)):
        text = stack.keys[first][0]
        if not text:
            continue
        for last in range(first + 1, min(first + WEIGHTS.longest_label + (0 if lone else 2), len(stack.keys)) + 1):
            if last > first + 1:
                if not stack.keys[last - 1][1]:
                    continue
                text += stack.keys[last - 1][1]
            if len(text) > longest:
                break
            if len(text) >= 2 and (lone or stack.parts[first][0] is not stack.parts[last - 1][0]):
                yield text, first, last
            if lone and last == first + 1:
                yield from ((part, first, last) for part in _alternatives(stack.parts[first]))


def _alternatives(part: tuple[Segment, int]) -> list[str]:
    """`Name/Firma` is each of its halves."""
    text = part[0].words[part[1]].text
    return [label_key(half) for half in text.split("/") if sum(map(str.isalpha, half)) >= 4] if "/" in text else []


def _label(entry: _Entry, similarity: float, stack: _Stack, first: int, last: int) -> tuple[Label, float]:
    """The label of one run, and how it ranks against others of its owner that start there: longer runs win."""
    parts = stack.parts[first:last]
    segment, end = parts[-1][0], parts[-1][1] + 1
    start = next(place for part, place in parts if part is segment)
    lines = len({id(part) for part, _ in parts})
    box = box_of([part.words[place] for part, place in parts])
    label = Label(entry.owner, entry.phrase, similarity, segment, start, end, box, heading=entry.heading, lines=lines)
    if lines > 1:
        label = replace(label, before=lettered(word.text for word in parts[0][0].words[: parts[0][1]]))
    rank = similarity * entry.phrase.weight + 0.03 * (last - first) * similarity + 0.0005 * min(len(entry.phrase.text), 20)
    return label, rank
