"""Options that show their type by their form: dates, times, amounts, numbers of things, accounts, tax numbers, currencies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from docpipe.extract.labels.index import Place, place_of
from docpipe.extract.labels.layout import Segment
from docpipe.extract.labels.phrases import Target
from docpipe.extract.labels.scene import Option, Scene
from docpipe.values.amounts import find_amounts, plain
from docpipe.values.dates import find_dates
from docpipe.values.identifiers import find_currencies, find_ibans, find_tax_ids, vote_currency

_ID = re.compile(r"(?<!\w)[#№]?[^\W_][\w\-/.#&]*\d[\w\-/.]*|(?<!\w)#?\d[\w\-/.]*")
_PREFIX = re.compile(r"(?<!\w)([A-Z]{1,5}[-/]?|\d{1,6}(?:\s?[-/])?)\s$")
_TIME = re.compile(r"(?<![\d:.])([01]?\d|2[0-3])[:.h]([0-5]\d)(?:[:.]([0-5]\d))?\s?(am|pm|a\.m\.|p\.m\.)?(?![\d:])", re.IGNORECASE)
_NO_ID = re.compile(r"\d+(?:st|nd|rd|th|am|pm|a|p|%)|\d{1,2}:\d\d.*", re.IGNORECASE)
_LOCAL_TAX_ID = re.compile(r"(?<![\w/.\-])(?:[A-Z]{0,3}[ -]?)?\d[\dA-Z./\- ]{6,18}[\dA-Z](?![\w/])")
_TAX_WORD = re.compile(r"\b(?:vat|ust|umsatzsteuer|tva|btw|iva|mwst|uid|tax|gst|nif|cif|siren)\b|ust-?id|p\.\s?iva", re.IGNORECASE)
_PLACE_BEFORE = re.compile(r"^\W*[^\W\d][^\d,:]{1,30}(?:,|\ble|\bden)\s*(?:den|le|the|el|li)?\s*$", re.IGNORECASE)
_LIST = re.compile(r"[\w\-/]*\d[\w\-/]*(?:\s*[,;]\s*[\w\-/]*\d[\w\-/]*)+")
_CODE = re.compile(r"[A-Z]{1,6}")
SHORTEST_COMB = 4
LONGEST_ID_SEGMENT = 25  # words: numbers inside longer ones are prose


def dates(scene: Scene, target: Target) -> Iterator[Option]:
    """Every date of the document."""
    for day in scene.days:
        place = day.place
        raw = place.segment.text[place.start : place.end]
        text = place.segment.text
        place_date = bool(_PLACE_BEFORE.match(text[: place.start])) and not text[place.end :].strip(" .,")
        features = {"role": float(day.role), "slash": float(day.slash), "place_date": float(place_date), "order_shown": scene.order_shown}
        yield Option(place, day.value, raw, 1.0, place.box, features=features)


def times(scene: Scene, target: Target) -> Iterator[Option]:
    """Every time of day, as HH:MM:SS or HH:MM."""
    for segment in _segments(scene):
        for match in _TIME.finditer(segment.text):
            hour = int(match[1])
            half = (match[4] or "").replace(".", "").lower()
            hour = hour % 12 + 12 if half == "pm" and hour <= 12 else 0 if half == "am" and hour == 12 else hour
            seconds = f":{match[3]}" if match[3] else ":00"
            colon = ":" in match[0]
            place = place_of(segment, *match.span())
            yield Option(place, f"{hour:02d}:{match[2]}{seconds}", match[0], 1.0 if colon or half else 0.3, place.box)


def money(scene: Scene, target: Target) -> Iterator[Option]:
    """Every amount of money."""
    for amount in scene.money:
        place = amount.place
        yield Option(place, plain(amount.value), place.segment.text[place.start : place.end], amount.fit, place.box)


def quantities(scene: Scene, target: Target) -> Iterator[Option]:
    """Every number; for a rate, percentages fit best."""
    for segment in _segments(scene):
        for amount in find_amounts(segment.text, scene.decimal):
            fit = (
                (1.0 if amount.percent else 0.4) if target.kind == "rate" else (0.2 if amount.percent else 0.6 if amount.currency else 0.8)
            )
            place = place_of(segment, amount.start, amount.end)
            yield Option(place, plain(amount.value), segment.text[amount.start : amount.end], fit, place.box)


def identifiers(scene: Scene, target: Target) -> Iterator[Option]:
    """Every string with a digit in it; dates, amounts of money and times are poor ones."""
    amounts = {(money.place.segment, money.place.start) for money in scene.money if money.fit >= 0.75}
    for segment in _segments(scene):
        if len(segment.words) > LONGEST_ID_SEGMENT:
            continue
        days = [(date.start, date.end) for date in find_dates(segment.text, scene.locale.date_order)]
        for match in _ID.finditer(segment.text):
            start, raw = match.start(), match[0].rstrip(".-/,")
            end = start + len(raw)
            if any(first < end and last > start for first, last in days) or sum(map(str.isalnum, raw)) < 2:
                continue
            value = raw.lstrip("#") if re.match(r"#\d", raw) and "_" not in raw else raw
            place = place_of(segment, start, end)
            yield Option(place, value, raw, _id_fit(raw, segment, start, (segment, start) in amounts), place.box)
            yield from _with_prefix(segment, start, end)
        if _LIST.fullmatch(segment.text):
            place = place_of(segment, 0, len(segment.text))
            yield Option(place, segment.text, segment.text, 1.05, place.box, features={"list": 1.0})
    for page in scene.layouts:
        for line in page.lines:
            yield from _combs(line, page.median_height)
    if not target.spec.labels:
        yield from _letters_only(scene, target)


def _combs(line: Sequence[Segment], unit: float) -> Iterator[Option]:
    """A number printed one letter a box: its parts joined."""
    run: list[Segment] = []
    for segment in [*line, None]:
        if segment is not None and len(segment.text) <= 3 and (not run or segment.x0 - run[-1].x1 < 2.5 * unit):
            run.append(segment)
            continue
        text = "".join(part.text for part in run)
        if len(run) >= SHORTEST_COMB and sum(map(str.isdigit, text)) >= SHORTEST_COMB:
            box = (run[0].x0, min(part.y0 for part in run), run[-1].x1, max(part.y1 for part in run))
            place = Place(run[0], 0, len(run[0].text), box)
            yield Option(place, text.replace("–", "-"), " ".join(part.text for part in run), 1.0, box, features={"comb": 1.0})
        run = [segment] if segment is not None and len(segment.text) <= 3 else []


def _letters_only(scene: Scene, target: Target) -> Iterator[Option]:
    """Short codes without a digit, where one of the field's labels has them in its cell or on its row."""
    for label in scene.labels.fields.get(target.spec.path, ()):
        index = scene.pairing.pages[label.segment.page]
        cell = index.small_cell(label.box)
        near = list(cell.segments) if cell else index.on_row(label.box, label.segment.line)
        for segment in near:
            if segment is not label.segment and _CODE.fullmatch(segment.text):
                place = place_of(segment, 0, len(segment.text))
                yield Option(place, segment.text, segment.text, 0.55, place.box, features={"letters": 1.0})


def _id_fit(raw: str, segment: Segment, start: int, is_money: bool) -> float:
    if segment.text[max(0, start - 1) : start] in ("$", "€", "£") and start > 0:
        return 0.1
    if re.fullmatch(r"\d+[.,]\d{2}", raw) or is_money or _NO_ID.fullmatch(raw):
        return 0.2
    if re.fullmatch(r"\d{1,2}", raw):
        return 0.3
    return 0.6 + 0.05 * min(8, len(raw))


def _with_prefix(segment: Segment, start: int, end: int) -> Iterator[Option]:
    """`RE 2019-17`: a short part set off by a blank belongs to the number."""
    prefix = _PREFIX.search(segment.text[:start])
    if (prefix and segment.text[start:end].isdigit() is False) or (prefix and prefix[1].isalpha()):
        raw = segment.text[prefix.start() : end]
        place = place_of(segment, prefix.start(), end)
        yield Option(place, raw, raw, 0.6 + 0.05 * min(8, len(raw)), place.box, features={"prefixed": 1.0})


def ibans(scene: Scene, target: Target) -> Iterator[Option]:
    """Every account number of the form, a valid checksum first."""
    for segment in _segments(scene):
        for found in find_ibans(segment.text):
            place = place_of(segment, found.start, found.end)
            raw = segment.text[found.start : found.end]
            yield Option(place, found.value, raw, 1.0 if found.valid else 0.6, place.box, features={"checksum": float(bool(found.valid))})


def tax_ids(scene: Scene, target: Target) -> Iterator[Option]:
    """VAT numbers by their form; other tax numbers where the field's label stands right before them."""
    for segment in _segments(scene):
        taken = []
        for found in find_tax_ids(segment.text):
            place = place_of(segment, found.start, found.end)
            raw = segment.text[found.start : found.end]
            taken.append((found.start, found.end))
            features = {
                "checksum": float(found.valid is True),
                "checksum_fails": float(found.valid is False),
                "named": float(bool(_TAX_WORD.search(segment.text[max(0, found.start - 30) : found.start]))),
            }
            yield Option(place, found.value, raw, 1.0, place.box, features=features)
        for match in _LOCAL_TAX_ID.finditer(segment.text) if len(segment.words) <= LONGEST_ID_SEGMENT else ():
            if any(first < match.end() and last > match.start() for first, last in taken) or find_dates(match[0], None):
                continue
            if find_ibans(match[0]) or sum(map(str.isdigit, match[0])) < 7:
                continue
            raw = match[0].strip()
            place = place_of(segment, match.start(), match.end())
            yield Option(place, raw, raw, 0.45, place.box, features={"local": 1.0})


def currencies(scene: Scene, target: Target) -> Iterator[Option]:
    """The document's most frequent currency."""
    vote = vote_currency(scene.texts)
    if vote is None:
        return
    for segment in _segments(scene):
        if vote[0] in find_currencies(segment.text):
            place = place_of(segment, 0, len(segment.text))
            yield Option(place, vote[0], segment.text, vote[1], place.box, paired=False)
            return


def _segments(scene: Scene) -> Iterator[Segment]:
    for page in scene.layouts:
        yield from page.segments
