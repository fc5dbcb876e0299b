"""Pages that need no extraction: covers, conditions, separators. Knows what they call themselves and how they are set, no class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import mean, median

from docpipe.classify._words.features import Mark
from docpipe.classify._words.sight import LARGE, Sight
from docpipe.records import PageKind

FEW = 15  # words of a separator sheet
SPARSE = 90  # words of a cover
PROSE_LETTERS, PROSE_LINE = 700, 6.0  # letters of a page of conditions, and words of its lines
# What such pages call themselves.
TITLES: dict[PageKind, str] = {
    "cover": "cover|cover sheet|cover page|cover letter|fax|telefax|fax cover sheet|fax transmittal|facsimile transmittal sheet|transmittal"
    "|fax message|deckblatt|titelblatt|faxdeckblatt|begleitschreiben|page de garde|page de couverture|bordereau d'envoi|télécopie|portada"
    "|carátula|hoja de portada|voorblad|faxbericht|copertina|frontespizio|표지|팩스 표지",
    "terms": "terms and conditions|general terms and conditions|standard terms and conditions|terms & conditions|terms of sale|terms of use"
    "|terms of service|conditions of sale|general conditions|conditions of contract|general terms|terms and conditions of sale"
    "|allgemeine geschäftsbedingungen|geschäftsbedingungen|agb|verkaufsbedingungen|lieferbedingungen|allgemeine verkaufsbedingungen"
    "|allgemeine liefer und zahlungsbedingungen|nutzungsbedingungen|conditions générales|conditions générales de vente"
    "|conditions générales d'utilisation|condiciones generales|condiciones generales de venta|términos y condiciones"
    "|algemene voorwaarden|verkoopvoorwaarden|condizioni generali|condizioni generali di vendita|이용약관|거래 약관|약관",
    "separator": "separator|separator sheet|separator page|document separator|batch separator|patch t|patch code|trennblatt|trennseite"
    "|dokumententrenner|intercalaire|page de séparation|séparateur|hoja separadora|separador|scheidingsblad|foglio separatore|구분지|간지",
}
IN_LETTERHEADS = frozenset({"fax", "telefax", "télécopie"})  # titles that stand in every letterhead too


def kind_of(sight: Sight, marks: dict[str, list[Mark]]) -> tuple[PageKind, Mark | None]:
    """What kind of page it is, and the title that says so. Conditions are a page of prose under such a title; a cover and a separator
    print little else. A page with sums is content whatever it calls itself: a total that is passed over is a rival that nobody sees."""
    if sight.sums:
        return "content", None
    titles = {kind: _title(sight, marks.get(kind, ())) for kind in TITLES}
    if (title := titles["terms"]) and _is_prose(sight):
        return "terms", title
    if (title := titles["separator"]) and len(sight.words) <= FEW:
        return "separator", title
    if (title := titles["cover"]) and len(sight.words) <= SPARSE and "money" not in sight.kinds:
        return "cover", title
    return "content", None


def _title(sight: Sight, marks: Sequence[Mark]) -> Mark | None:
    return next((mark for mark in marks if mark.found.stands_out and not _is_label(sight, mark)), None)


def _is_label(sight: Sight, mark: Mark) -> bool:
    """`Fax: 0431/5567` in a letterhead says where to send one: such a word is a title in large print only, and before no number."""
    if mark.meaning.owner not in IN_LETTERHEADS:
        return False
    word = sight.words[mark.found.start]
    line = [other.text for other in sight.words if other.line == word.line]
    usual = median(other.y1 - other.y0 for other in sight.words)
    return word.y1 - word.y0 < LARGE * usual or any(char.isdigit() for text in line for char in text)


def _is_prose(sight: Sight) -> bool:
    lines = Counter(word.line for word in sight.words)
    return sight.letters >= PROSE_LETTERS and mean(lines.values()) >= PROSE_LINE
