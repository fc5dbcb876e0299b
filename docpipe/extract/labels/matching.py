"""Finds printed labels: where on the pages the phrases of the fields, of their groups and of common other values occur.

Knows text and phrases, no value; a label may be misread, inside a longer one, or run over several lines.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from rapidfuzz.distance import Indel

from docpipe.extract.labels.lexicon import DISTRACTORS, DOCUMENT_WORD, INLINE, NUMBER_WORDS, OTHER_PARTY, OTHERS_DOCUMENT
from docpipe.extract.labels.phrases import Phrase, Target, content_words, label_key, later_key
from docpipe.extract.labels.questions import Questions
from docpipe.extract.labels.soft import Chain, Items, SoftLabels, item_factor
from docpipe.extract.labels.weights import WEIGHTS
from docpipe.extract.layout import PageLayout, Segment, box_of
from docpipe.records import Box, Word
from docpipe.values.text import fold

NOBODY = "-"  # owner of the labels that no field asked for
OTHER = "other party"  # owner of the headings of parties that no field asked for
SHORTEST_END = 5  # letters
_LIST_NUMBER = re.compile(r"\W*(?:\d{1,2}|[a-zA-Z])[a-z]?\W+|\d{1,2}[a-z]?")
_LETTERS = re.compile(r"[^\W\d_]{2}")


@dataclass(frozen=True, eq=False)
class Label:
    """One occurrence. `owner` is a field's path, a group's path (a heading), NOBODY or OTHER; words `start:end` of `segment` are the
    label's last line. `before` and `after` count unexplained words round it; `context` is what they leave of the match, 0..1."""

    owner: str
    phrase: Phrase
    similarity: float
    segment: Segment
    start: int
    end: int
    box: Box
    heading: bool = False
    colon: bool = False
    before: int = 0
    after: int = 0
    context: float = 1.0
    covered: bool = False
    boost: float = 1.0
    lines: int = 1
    soft: bool = False

    @property
    def ends_at(self) -> int:
        """Where the label ends in its segment's text."""
        return self.segment.offsets[self.end - 1] + len(self.segment.words[self.end - 1].text)

    @property
    def starts_at(self) -> int:
        return self.segment.offsets[self.start]

    @property
    def whole(self) -> bool:
        """The segment is the label and nothing else, but for the number of a question before it."""
        if self.end != len(self.segment.words):
            return False
        return self.start == 0 or (self.start == 1 and bool(_LIST_NUMBER.fullmatch(self.segment.words[0].text)))

    @property
    def strength(self) -> float:
        """0..1.2: how surely this text is the label of its owner."""
        factor = WEIGHTS.covered if self.covered else 1.0
        return self.phrase.weight * max(0.0, (self.similarity - 0.6) / 0.4) * self.context * factor * self.boost


@dataclass(frozen=True, eq=False)
class Labels:
    """All labels of a document. `by_segment` also lists a stacked label under each of its lines' segments."""

    fields: Mapping[str, tuple[Label, ...]]
    headings: Mapping[str, tuple[Label, ...]]
    by_segment: Mapping[Segment, tuple[Label, ...]] = field(default_factory=dict)

    def share(self, segment: Segment) -> float:
        """How surely the whole segment is a label: the best similarity of one that fills it."""
        sure = (label for label in self.by_segment.get(segment, ()) if label.whole)
        return max((label.similarity for label in sure if not label.soft or label.phrase.weight >= WEIGHTS.soft_is_label), default=0.0)


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
    entries = _entries(targets)
    fuzzy = _FuzzyKeys(list(entries), ocr=any(page.source != "text_layer" for page in layouts))
    best: dict[tuple[str, bool, Segment, int], tuple[float, Label]] = {}
    chains = [chain for page in layouts for chain in _chains(page)]
    for page in layouts:
        for stack in _stacks(page, [chain for chain in chains if chain[0].page == page.number]):
            for key, first, last in _grams(stack, fuzzy.longest):
                for known, similarity in fuzzy.matches(key):
                    if similarity < 1 and _short_end(stack, first, last):
                        continue
                    for entry in entries[known]:
                        label, rank = _label(entry, similarity, stack, first, last)
                        place = (entry.owner, entry.heading, label.segment, label.start if label.lines == 1 else -first - 1)
                        if place not in best or rank > best[place][0]:
                            best[place] = (rank, label)
    for label in _bridged(layouts, targets):
        place = (label.owner, False, label.segment, label.start)
        if place not in best or best[place][1].end < label.end:
            best[place] = (0.0, label)
    soft = [_soft_label(*found) for found in SoftLabels(targets).find(layouts, chains)]
    return _judged([label for _, label in best.values()], soft, layouts, targets)


def _short_end(stack: _Stack, first: int, last: int) -> bool:
    """The run's part on its last line is so short that a misread label would be found without it."""
    end = stack.parts[last - 1][0]
    if end is stack.parts[first][0]:
        return False
    return sum(len(part.words[place].text) for part, place in stack.parts[first:last] if part is end) < SHORTEST_END


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


class _FuzzyKeys:
    """The phrases, and the printed texts that are close to one of them. Two texts are compared only where their first or their last two
    letters agree: a misread label rarely differs at both ends."""

    def __init__(self, keys: Sequence[str], *, ocr: bool) -> None:
        self._exact = frozenset(keys)
        self._cutoff = WEIGHTS.fuzzy_ocr if ocr else WEIGHTS.fuzzy_text
        self.longest = max(map(len, keys), default=0) + 4
        self._known: dict[str, tuple[tuple[str, float], ...]] = {}
        self._ends: defaultdict[str, list[str]] = defaultdict(list)
        for key in keys:
            if len(key) >= WEIGHTS.shortest_fuzzy:
                self._ends["<" + key[:2]].append(key)
                self._ends[">" + key[-2:]].append(key)

    def matches(self, text: str) -> tuple[tuple[str, float], ...]:
        """The phrases that the squashed text is or nearly is, with the similarity."""
        if text not in self._known:
            self._known[text] = self._find(text)
        return self._known[text]

    def _find(self, text: str) -> tuple[tuple[str, float], ...]:
        if text in self._exact:
            return ((text, 1.0),)
        if len(text) < WEIGHTS.shortest_fuzzy:
            return ()
        near = {*self._ends.get("<" + text[:2], ()), *self._ends.get(">" + text[-2:], ())}
        reach = len(text) * (1 - self._cutoff) * 1.3 + 1
        found = []
        for key in near:
            if abs(len(key) - len(text)) <= reach and key[0].isdigit() == text[0].isdigit():
                similarity = Indel.normalized_similarity(text, key, score_cutoff=self._cutoff)
                if similarity:
                    found.append((key, similarity))
        return tuple(found)


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
        label = replace(label, before=_lettered(word.text for word in parts[0][0].words[: parts[0][1]]))
    rank = similarity * entry.phrase.weight + 0.03 * (last - first) * similarity + 0.0005 * min(len(entry.phrase.text), 20)
    return label, rank


def _lettered(texts: Iterable[str]) -> int:
    return sum(1 for text in texts if _LETTERS.search(text))


def _judged(found: Sequence[Label], soft: Sequence[Label], layouts: Sequence[PageLayout], targets: Sequence[Target]) -> Labels:
    """The labels with what stands round them taken into account."""
    ids = {target.spec.path for target in targets if target.kind == "id"}
    title = _title_words(layouts)
    around: defaultdict[Segment, list[Label]] = defaultdict(list)
    for label in found:
        around[label.segment].append(label)
    fields: defaultdict[str, list[Label]] = defaultdict(list)
    headings: defaultdict[str, list[Label]] = defaultdict(list)
    by_segment: defaultdict[Segment, list[Label]] = defaultdict(list)
    questions, items = Questions(layouts, targets), {page.number: Items(page) for page in layouts}
    by_path, pages = {target.spec.path: target for target in targets}, {page.number: page for page in layouts}
    for label in found:
        if label.heading and _numbered_value(label, pages[label.segment.page]):
            continue
        boost = WEIGHTS.title if label.owner in ids and set(label.phrase.text.split()) & title else 1.0
        if label.owner in by_path and not label.heading:
            boost *= questions.factor(label.owner, label.phrase, label.segment)
            boost *= item_factor(by_path[label.owner], items[label.segment.page].of(label.segment))
        own = by_path[label.owner].words if label.owner in by_path and not by_path[label.owner].spec.labels else frozenset()
        judged = replace(_in_context(label, around[label.segment], own), covered=_covered(label, around[label.segment]), boost=boost)
        (headings if label.heading else fields)[label.owner].append(judged)
        by_segment[label.segment].append(judged)
    for label in soft:
        fields[label.owner].append(label)
        by_segment[label.segment].append(label)
    return Labels(_frozen(fields), _frozen(headings), {segment: tuple(labels) for segment, labels in by_segment.items()})


def _numbered_value(label: Label, page: PageLayout) -> bool:
    """`Customer: 2` heads no block: it is the label of a number."""
    rest = " ".join(word.text for word in label.segment.words[label.end :])
    row = page.lines[label.segment.line]
    place = row.index(label.segment) + 1
    if not rest and label.segment.words[-1].text.endswith(":") and place < len(row):
        rest = row[place].text
    return any(map(str.isdigit, rest)) and not re.search(r"[^\W\d_]{3}", rest)


def _frozen(groups: Mapping[str, list[Label]]) -> dict[str, tuple[Label, ...]]:
    return {owner: tuple(labels) for owner, labels in groups.items()}


def _in_context(label: Label, others: Sequence[Label], own: frozenset[str]) -> Label:
    """The label with the words round it counted that neither another label nor the field's own words explain."""
    words = label.segment.words
    following = words[label.end :]
    colon = words[label.end - 1].text[-1:] in ":=：" or bool(following and following[0].text[:1] in ":=#：")
    before, after = _words_before(label, others, own), 0 if colon else _words_after(following)
    numbered = bool(re.match(r"\W*\d{1,2}\W*$", words[0].text))
    each_before = WEIGHTS.word_before_colon if colon and (before > 3 or numbered) else WEIGHTS.word_before
    if label.phrase.text in INLINE:
        opening = " ".join(word.text for word in words[: min(2, label.start)])
        own_document = bool(DOCUMENT_WORD.search(opening)) and not OTHERS_DOCUMENT.match(opening)
        each_before *= WEIGHTS.inline_in_prose if before and not own_document else 1.0
        before = 0 if own_document else before
    last = not following and before >= 4  # what stands before the last words of a long segment is another cell
    context = (WEIGHTS.other_cell if last else each_before ** min(before, 4)) * WEIGHTS.word_after ** min(after, 4)
    return replace(label, colon=colon, before=before, after=after, context=context)


def _words_before(label: Label, others: Sequence[Label], own: frozenset[str]) -> int:
    """How many words before the label nothing explains; what stands before a heading or inside a sentence, no other label explains."""
    if label.lines > 1:
        return label.before
    lone = label.heading or label.phrase.text in INLINE
    explained = {place for other in others if not lone and _explains(other, label) for place in range(other.start, other.end)}
    texts = [word.text for place, word in enumerate(label.segment.words[: label.start]) if place not in explained]
    return _lettered(text for text in texts if not content_words(text) & own)


def _words_after(following: Sequence[Word]) -> int:
    """How many words follow the label before a value may begin."""
    count = 0
    for word in following[:4]:
        if word.text[0] in ":=#" or any(char.isdigit() for char in word.text):
            break
        count += bool(_LETTERS.search(word.text)) or word.text == "%"
    return count


def _explains(other: Label, label: Label) -> bool:
    """A surer label of a field ahead of this one in its segment: its words are not unexplained."""
    return other.end <= label.start and other.owner not in (NOBODY, label.owner) and not other.heading and other.similarity > 0.95


def _covered(label: Label, others: Sequence[Label]) -> bool:
    """A longer label lies over this one: surely another owner's, or the same owner's when that is the better match."""
    for other in others:
        longer = other.start <= label.start and other.end >= label.end and other.end - other.start > label.end - label.start
        if not longer or other.lines != label.lines:
            continue
        if other.heading:
            if not label.heading and other.similarity >= 0.95:
                return True
            continue
        if other.owner != label.owner and other.similarity >= 0.9:
            return True
        if other.owner == label.owner and other.similarity * other.phrase.weight >= label.similarity * label.phrase.weight:
            return True
    return False


def _title_words(layouts: Sequence[PageLayout]) -> frozenset[str]:
    """The words of large or lone upper-case text at the top of the first page: what kind of document this is."""
    if not layouts:
        return frozenset()
    page, words = layouts[0], set()
    for segment in page.segments:
        large = segment.y0 < 0.25 * page.height and segment.height > 1.35 * page.median_height
        lone = len(segment.words) <= 2 and segment.text.isupper() and segment.y0 < 0.08 * page.height
        if (large or lone) and len(segment.words) <= 5:
            words.update(segment.folded.split())
    return frozenset(words)
