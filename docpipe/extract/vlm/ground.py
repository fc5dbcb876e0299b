"""What a model says it read -> where the page says so: its words, its ticks. Knows words, boxes and kinds of values; no model, no schema.

A text is compared letter by letter, without blanks, punctuation and case, so that line breaks do not matter and Hangul and CJK need no
words. What holds a digit must be printed digit for digit; only letters may differ here and there.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from docpipe.records import Box, Word, Words
from docpipe.values.alike import has_minus
from docpipe.values.amounts import CURRENCY_MARKS
from docpipe.words.ticks import ticks

AMOUNTS = frozenset({"money", "quantity", "rate"})
FUZZY = frozenset({"text", "name", "address", "choice"})  # all others are printed letter for letter, or are not there
SIMILAR = 0.8  # of the letters: one in five may differ
LEAST_FUZZY = 5  # letters; less must be printed as it is
PAGE_SIMILAR = 0.9  # of a whole page's words
TICK_REACH = 9.0  # heights of a label between it and its box
TICK_LEAD = 1.5  # times as far as its own box is the next one from a label, or it could be either's
GROUP_GAP = 0.45  # in letter heights: a thousand's group stands as near as this to the next
_NUMERIC = frozenset("0123456789.,'’/-")


@dataclass(frozen=True)
class Place:
    """Where a value is printed: its characters as printed (none for a tick), their box, how alike the two are (1: letter for letter), and
    how sure OCR was of the words. `at` counts the words before it."""

    raw: str
    box: Box
    similarity: float
    word_confidence: float
    at: int


class PagePrint:
    """A page's words, for looking texts up in."""

    def __init__(self, words: Words) -> None:
        self.words: Sequence[Word] = words.words
        self._ticks = ticks(words.checkboxes, words.words)
        self._letters = _Stream(self.words, str.isalnum)
        self._signs = _Stream(self.words, lambda char: not char.isspace())

    def places(self, text: str, kind: str) -> list[Place]:
        """Everywhere that the page prints the text, in reading order; where it does so nowhere, the place most alike, if the kind allows. A
        currency is printed by any of its marks."""
        if kind == "currency":
            marks = {text, *(mark for mark, code in CURRENCY_MARKS.items() if code == text.upper())}
            return sorted((place for mark in sorted(marks) for place in self._printed(mark, kind)), key=lambda place: place.at)
        return self._printed(text, kind)

    def _printed(self, text: str, kind: str) -> list[Place]:
        stream = self._letters if any(map(str.isalnum, _folded(text))) else self._signs
        needle = stream.key(text)
        if not needle:
            return []
        found = [place for start in stream.find(needle) if (place := self._exact(stream, start, start + len(needle), text, kind))]
        if found or kind not in FUZZY:
            return found
        return [place] if (place := self._alike(needle)) else []

    def only(self, texts: Sequence[str]) -> Place | None:
        """The one place where any of these texts is printed letter for letter; None where there are several."""
        places = {place.box: place for text in texts for place in self.places(text, "id")}
        return next(iter(places.values())) if len(places) == 1 else None

    def tick(self, label: Place, said: bool) -> Place | None:
        """The box that is ticked, or not, as `said`: the nearest to the label on its row. None where another is about as near, or it is
        the other way round."""
        left, top, right, bottom = label.box
        row = [tick for tick in self._ticks if top <= (tick.box[1] + tick.box[3]) / 2 <= bottom]
        by_distance = sorted((max(left - tick.box[2], tick.box[0] - right, 0.0), tick) for tick in row)
        if not by_distance or by_distance[0][0] > TICK_REACH * (bottom - top) or by_distance[0][1].ticked != said:
            return None
        if len(by_distance) > 1 and by_distance[1][0] < TICK_LEAD * by_distance[0][0]:
            return None
        return Place("", by_distance[0][1].box, 1.0, 1.0, label.at)

    def prints_page(self, text: str) -> float:
        """Which share of the text's words the page has; 0 where one of the text's numbers is not on the page."""
        said = [key for part in text.split() if (key := self._letters.key(part))]
        have = Counter(key for word in self.words if (key := self._letters.key(word.text)))
        numbers = [part for part in text.split() if any(map(str.isdigit, part))]
        if not said or not all(self.places(number, "id") for number in numbers):
            return 0.0
        missing = sum((Counter(said) - have).values())
        return 1 - missing / len(said)

    def _exact(self, stream: _Stream, start: int, end: int, text: str, kind: str) -> Place | None:
        """The place, unless it is the middle of something longer."""
        first, last = stream.spots[start], stream.spots[end - 1]
        if kind in AMOUNTS:
            return self._amount(first, last, text)
        if kind == "currency":
            return self._currency(first, last)
        if _joined(self.words[first[0]].text, first[1], -1) or _joined(self.words[last[0]].text, last[1], +1):
            return None
        if kind not in FUZZY and (_continues(self.words[first[0]].text, first[1], -1) or _continues(self.words[last[0]].text, last[1], +1)):
            return None
        return self._place(first, last, 1.0)

    def _currency(self, first: Spot, last: Spot) -> Place | None:
        """A currency's mark; it may be glued to a number, but not to letters."""
        head, tail = self.words[first[0]].text[: first[1]][-1:], self.words[last[0]].text[last[1] + 1 :][:1]
        return None if head.isalpha() or tail.isalpha() else self._place(first, last, 1.0)

    def _amount(self, first: Spot, last: Spot, text: str) -> Place | None:
        """The number with its sign and currency; None where its digits go on, or the model says another sign."""
        head, tail = self.words[first[0]].text[: first[1]], self.words[last[0]].text[last[1] + 1 :]
        if _digits_go_on(reversed(head)) or _digits_go_on(tail) or self._is_group(first) or self._goes_on(last):
            return None
        first, last = (first[0], 0), (last[0], len(self.words[last[0]].text.rstrip(".,;:")) - 1)
        before = first[0] - 1
        if before >= 0 and self.words[before].text in ("-", "−", "–") and self.words[before].line == self.words[first[0]].line:
            first = (before, 0)
        place = self._place(first, last, 1.0)
        return place if has_minus(place.raw) or not has_minus(text) else None

    def _is_group(self, first: Spot) -> bool:
        """A number's first group of digits stands right before the place: it is the 345 of `12 345`."""
        return first[0] > 0 and self._groups(first[0] - 1, first[0])

    def _goes_on(self, last: Spot) -> bool:
        return last[0] + 1 < len(self.words) and self._groups(last[0], last[0] + 1)

    def _groups(self, left: int, right: int) -> bool:
        one, other = self.words[left], self.words[right]
        near = one.line == other.line and 0 <= other.x0 - one.x1 < GROUP_GAP * (other.y1 - other.y0)
        return near and one.text[-1:].isdigit() and len(other.text) >= 3 and other.text[:3].isdigit() and not other.text[3:4].isdigit()

    def _alike(self, needle: str) -> Place | None:
        """The part of the page that differs from the text by the fewest letters, to whole words, if these are few and no digits."""
        stream = self._letters
        found = fuzz.partial_ratio_alignment(needle, stream.text, score_cutoff=50)
        if found is None or not LEAST_FUZZY <= len(needle) <= len(stream.text):
            return None
        best: tuple[float, int, int] | None = None
        for start in stream.word_starts(found.dest_start):
            for end in stream.word_ends(found.dest_end):
                if end > start:
                    likeness = Levenshtein.normalized_similarity(needle, stream.text[start:end])
                    best = max(best or (0.0, 0, 0), (likeness, -start, end))
        if best is None or best[0] < SIMILAR:
            return None
        similarity, start, end = best[0], -best[1], best[2]
        if _digits(stream.text[start:end]) != _digits(needle):
            return None
        return self._place(stream.spots[start], stream.spots[end - 1], similarity)

    def _place(self, first: Spot, last: Spot, similarity: float) -> Place:
        words = self.words[first[0] : last[0] + 1]
        parts: list[str] = []
        for index, word in enumerate(words, first[0]):
            left = first[1] if index == first[0] else 0
            right = last[1] + 1 if index == last[0] else len(word.text)
            breaks = index > first[0] and word.line != self.words[index - 1].line
            parts += ["\n" if breaks else " " if parts else "", word.text[left:right]]
        box = (min(w.x0 for w in words), min(w.y0 for w in words), max(w.x1 for w in words), max(w.y1 for w in words))
        return Place("".join(parts), box, similarity, fmean(word.confidence for word in words), first[0])


Spot = tuple[int, int]  # a word's place among the page's, and a character's in the word


class _Stream:
    """The page's characters run together, folded for comparison, and where each comes from."""

    def __init__(self, words: Sequence[Word], keep: Callable[[str], bool]) -> None:
        self._keep = keep
        chars: list[str] = []
        self.spots: list[Spot] = []
        self._starts: list[int] = []
        for index, word in enumerate(words):
            self._starts.append(len(chars))
            for place, char in enumerate(word.text):
                for folded in self.key(char):
                    chars.append(folded)
                    self.spots.append((index, place))
        self.text = "".join(chars)

    def key(self, text: str) -> str:
        return "".join(char for char in _folded(text) if self._keep(char))

    def find(self, needle: str) -> Iterator[int]:
        at = self.text.find(needle)
        while at >= 0:
            yield at
            at = self.text.find(needle, at + 1)

    def word_starts(self, at: int) -> Iterable[int]:
        """The place itself where letters need no words, and the beginnings of the words round it."""
        return self._near(at, at)

    def word_ends(self, at: int) -> Iterable[int]:
        return self._near(at - 1, at)

    def _near(self, inside: int, at: int) -> Iterable[int]:
        word = max(0, bisect_right(self._starts, max(0, inside)) - 1)
        edges = [*self._starts[max(0, word - 1) : word + 3], len(self.text)]
        own = [at] if 0 < at < len(self.text) and (is_cjk(self.text[at - 1]) or is_cjk(self.text[at])) else []
        return sorted({*edges, *own})


def around(places: Sequence[Place]) -> Box | None:
    """The box round all of them."""
    boxes = [place.box for place in places]
    if not boxes:
        return None
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)


def nearest(places: Sequence[Place], after: int) -> Place:
    """Of several places the first one that comes after what was read last, else the nearest before."""
    return min(places, key=lambda place: (place.at < after, abs(place.at - after)))


def beside(places: Sequence[Place], box: Box) -> Place:
    """Of several places the one that stands most on the row of the box."""
    middle = (box[1] + box[3]) / 2
    return min(places, key=lambda place: (round(abs((place.box[1] + place.box[3]) / 2 - middle)), place.at))


def is_cjk(char: str) -> bool:
    """Whether the character belongs to a script that runs on without blanks between words, or, as Hangul, has its endings glued to them."""
    name = unicodedata.name(char, "")
    return name.startswith(("CJK", "HANGUL", "HIRAGANA", "KATAKANA"))


def _folded(text: str) -> str:
    """Without case, accents and forms of width; Hangul stays syllables."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFC", "".join(char for char in plain if not unicodedata.combining(char)))


def _joined(word: str, at: int, step: int) -> bool:
    """The character beside the place belongs to it as well: a letter or digit, but for scripts that put no blank between words."""
    other = at + step
    if not 0 <= other < len(word) or not (word[other].isalnum() and word[at].isalnum()):
        return False
    return not (is_cjk(word[other]) or is_cjk(word[at])) or (word[other].isdigit() and word[at].isdigit())


def _continues(word: str, at: int, step: int) -> bool:
    """A hyphen or slash joins the place to more of the same number or code, or a point or comma to more digits."""
    if not 0 <= at + 2 * step < len(word):
        return False
    joint, other = word[at + step], word[at + 2 * step]
    return (joint in "-/_" and other.isalnum()) or (joint in ".," and other.isdigit() and word[at].isdigit())


def _digits_go_on(chars: Iterable[str]) -> bool:
    for char in chars:
        if char.isdigit():
            return True
        if char not in _NUMERIC:
            return False
    return False


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())
