"""What stands round a label and what that makes of it: unexplained words, longer labels over it, the question above, the title.

Knows the text near a label; finds no label itself.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from docpipe.extract.labels.label import NOBODY, Label, Labels
from docpipe.extract.labels.layout import PageLayout, Segment
from docpipe.extract.labels.lexicon import DOCUMENT_WORD, INLINE, OTHERS_DOCUMENT
from docpipe.extract.labels.phrases import Target, content_words
from docpipe.extract.labels.questions import Questions
from docpipe.extract.labels.soft import Items, item_factor
from docpipe.extract.labels.weights import WEIGHTS
from docpipe.records import Word

_LETTERS = re.compile(r"[^\W\d_]{2}")


def lettered(texts: Iterable[str]) -> int:
    """How many of the texts are words."""
    return sum(1 for text in texts if _LETTERS.search(text))


def judged_labels(found: Sequence[Label], soft: Sequence[Label], layouts: Sequence[PageLayout], targets: Sequence[Target]) -> Labels:
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
    return lettered(text for text in texts if not content_words(text) & own)


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
