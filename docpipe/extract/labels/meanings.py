"""Words that change what a value or a whole document means, as data: beside a label, as a stamp, about the scale of amounts.

Knows languages, no field, page or document. What a document is called is the schema's to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from docpipe.values.text import fold


def folded(phrases: str) -> tuple[str, ...]:
    """The phrases between `|`, as texts are compared."""
    return tuple(dict.fromkeys(fold(phrase) for phrase in phrases.split("|")))


# No values of such a paper are meant, whatever it is.
STAMPS = folded(
    "specimen|sample|void|voided|cancelled|canceled|copy|duplicate|draft|invalid|not valid|superseded|obsolete|example|test"
    "|muster|ungültig|storniert|annulliert|kopie|duplikat|zweitschrift|abschrift|entwurf|beispiel|rechnungskopie|musterrechnung"
    "|spécimen|annulé|annulée|copie|duplicata|brouillon|ébauche|non valable|exemple|muestra|anulado|anulada|cancelado|cancelada|copia"
    "|duplicado|borrador|sin validez|no válido|no válida|ejemplo|견본|샘플|사본|취소|취소됨|무효|초안"
    "|voorbeeld|concept|geannuleerd|ongeldig"
    "|duplicaat|campione|annullato|annullata|bozza|facsimile|fac simile|duplicato|non valido|esempio"
)
# What may stand round a stamp or a title without making something else of it.
FILLERS = frozenset(
    folded("of|the|der|die|das|des|vom|von|zur|zu|zum|for|de|del|la|le|du|no|nr|number|nummer|num|numero|date|your|ihr|ihre|re")
)
JOINTS = r"\s*(?:/|&|\+|,|\bund\b|\band\b|\bet\b|\by\b|\ben\b|\be\b|및)\s*"
# The amounts are a thousandth, a millionth or a hundred times of what is printed: said of all of them, or as a unit beside one.
SCALES = re.compile(
    r"(?<!\w)(?:"
    r"in\s+(?:thousands?|millions?|tausend|tsd|mio|teur|keur|[tk]\s?[€$£]|cents?|pence|migliaia|milioni|duizenden)"
    r"|en\s+(?:milliers|miles|millions|millones|centimes|céntimos|k\s?€|keur)"
    r"|tausend\s+euro|단위\s*[:：]?\s*(?:천|만|십만|백만|천만|억)\s*원?"
    r")(?!\w)",
    re.IGNORECASE,
)
SCALED_UNITS = re.compile(
    r"(?<![^\W\d])(?:teur|keur|kusd|kgbp|kchf|[tk]€|k£|k\$|tsd\.?\s?(?:€|eur)|mio\.?\s?(?:€|eur))(?!\w)|(?<![\d.,])['’]000(?![\d.,'’])",
    re.IGNORECASE,
)
# Words that make another thing of what a label names: an earlier one, somebody else's, a part of it, its contrary.
TURNING = frozenset(
    fold(
        "old original previous former prior earlier earliest latest initial first last next deposit advance partial corrected corrects"
        " correction replaces replaced cancels cancelled cancellation void refund reminder copy draft proforma estimate estimated"
        " provisional account customer client supplier representative agent third never not no without except before after from days weeks"
        " months less minus plus extra late fee of alt alte alter altes alten ursprünglich ursprüngliche bisherig bisherige vorherige"
        " frühere erste letzte nächste anzahlung teil korrektur korrigiert korrigierte ersetzt storno storniert stornierte mahnung kopie"
        " entwurf konto kunden vertreter nie nicht kein keine ohne außer vor nach ab tage tagen wochen monate abzüglich zuzüglich ancien"
        " ancienne précédent précédente acompte avoir corrige corrigée rectifie rectifiée remplace annule annulé annulée origine originale"
        " initiale rappel copie compte client représentant jamais pas sans sauf avant après jours semaines mois moins antiguo anterior"
        " anticipo rectifica rectificada corregida sustituye sustituida anula anulada origen copia cuenta cliente representante nunca sin"
        " antes después días menos 원본 당초 수정 정정 취소 이전 기존"
    ).split()
)
# Words that do so only beside a value of this kind: whose number it is; a sum of what; which way money goes.
TURNING_FOR: Mapping[str, frozenset[str]] = {
    "id": frozenset(fold("zu zur zum regarding against reference referring").split()),
    "money": frozenset(
        fold(
            "page section chapter savings saved carried brought forward all open overdue invoices credit debit cr dr seite titel los"
            " abschnitt kapitel übertrag bisher bisherig teilsumme offen offene offenen aller alle rechnungen gespart ersparnis haben soll"
            " lot chapitre économies économie économisé report reporté toutes factures débit crédit página pagina capítulo ahorro ahorros"
            " suma sigue todas facturas crédito débito 페이지 쪽 할인 절약 이월 누계 미수 전체 sezione risparmio fatture pagine"
        ).split()
    ),
}
