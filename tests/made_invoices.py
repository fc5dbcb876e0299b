"""Invoices made up from a seed, as words with boxes and their exact truth: many layouts, known and made-up languages, distractors.

Nothing here comes from a document; the words are set as in a PDF's text layer.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from docpipe.records import Word, Words

WIDTH, HEIGHT, LEFT, RIGHT = 595.0, 842.0, 40.0, 555.0
D = Decimal

# role -> language -> labels, `|` between.
_BY_ROLE: dict[str, dict[str, str]] = {
    "pos": {
        "en": "No.|Item",
        "de": "Pos.|Pos",
        "fr": "Ligne|N°",
        "nl": "Nr|Regel",
        "es": "Nº|Línea",
        "it": "Riga|N.",
    },
    "sku": {
        "en": "Item code|SKU",
        "de": "Art-Nr|Artikelnummer",
        "fr": "Réf|Code",
        "nl": "Code|Artikelcode",
        "es": "Código|Referencia",
        "it": "Codice",
    },
    "desc": {
        "en": "Description|Product|Details",
        "de": "Beschreibung|Bezeichnung|Leistung",
        "fr": "Désignation|Description|Libellé",
        "nl": "Omschrijving|Artikel",
        "es": "Descripción|Concepto",
        "it": "Descrizione|Articolo",
    },
    "qty": {
        "en": "Qty|Quantity|Hours",
        "de": "Menge|Anzahl",
        "fr": "Quantité|Qté",
        "nl": "Aantal",
        "es": "Cantidad|Cant.",
        "it": "Quantità|Qtà",
    },
    "unit": {
        "en": "Unit",
        "de": "Einheit|ME",
        "fr": "Unité",
        "nl": "Eenheid",
        "es": "Unidad",
        "it": "UM",
    },
    "price": {
        "en": "Unit price|Price|Rate",
        "de": "Einzelpreis|Preis|E-Preis",
        "fr": "Prix unitaire|P.U. HT|PU",
        "nl": "Prijs|Stukprijs",
        "es": "Precio|Precio unitario",
        "it": "Prezzo|Prezzo unitario",
    },
    "disc": {
        "en": "Discount|Disc.",
        "de": "Rabatt",
        "fr": "Remise",
        "nl": "Korting",
        "es": "Dto|Descuento",
        "it": "Sconto",
    },
    "rate": {
        "en": "VAT|VAT rate|Tax %",
        "de": "MwSt|USt.|Steuersatz",
        "fr": "TVA|Taux TVA",
        "nl": "BTW|BTW %",
        "es": "IVA|% IVA",
        "it": "IVA|Aliquota",
    },
    "amount": {
        "en": "Amount|Line total|Total|Net amount",
        "de": "Betrag|Gesamtpreis|Summe|Gesamt",
        "fr": "Montant HT|Total HT|Montant",
        "nl": "Bedrag|Totaal",
        "es": "Importe|Total",
        "it": "Importo|Totale",
    },
    "net": {
        "en": "Subtotal|Net total|Total excl. VAT",
        "de": "Nettobetrag|Zwischensumme|Summe netto",
        "fr": "Total HT|Sous-total HT",
        "nl": "Subtotaal|Totaal excl. BTW",
        "es": "Base imponible|Subtotal",
        "it": "Imponibile|Totale imponibile",
    },
    "tax": {
        "en": "VAT|Sales tax|Total VAT",
        "de": "zzgl. MwSt|Umsatzsteuer|Summe MwSt.",
        "fr": "TVA|Total TVA|Montant TVA",
        "nl": "BTW|Totaal BTW",
        "es": "IVA|Total IVA",
        "it": "IVA|Totale IVA|Imposta",
    },
    "gross": {
        "en": "Total|Grand total|Total incl. VAT|Invoice total",
        "de": "Gesamtbetrag|Rechnungsbetrag|Bruttosumme|Endbetrag",
        "fr": "Total TTC|Montant TTC",
        "nl": "Totaal|Totaal incl. BTW",
        "es": "Total|Total factura",
        "it": "Totale|Totale fattura|Totale documento",
    },
    "paid": {
        "en": "Amount paid|Deposit",
        "de": "Anzahlung|bereits gezahlt",
        "fr": "Acompte",
        "nl": "Aanbetaling",
        "es": "Anticipo",
        "it": "Acconto",
    },
    "due": {
        "en": "Balance due|Amount due",
        "de": "Zahlbetrag|Zu zahlen",
        "fr": "Net à payer|Reste à payer",
        "nl": "Te betalen",
        "es": "Total a pagar",
        "it": "Netto a pagare|Da pagare",
    },
    "ship": {
        "en": "Shipping|Freight",
        "de": "Versandkosten|Fracht",
        "fr": "Frais de port",
        "nl": "Verzendkosten",
        "es": "Gastos de envío|Portes",
        "it": "Spese di spedizione",
    },
    "less": {
        "en": "Discount",
        "de": "Rabatt|Nachlass",
        "fr": "Remise",
        "nl": "Korting",
        "es": "Descuento",
        "it": "Sconto",
    },
    "carry": {
        "en": "Carried forward",
        "de": "Übertrag",
        "fr": "A reporter",
        "nl": "Transport",
        "es": "Suma y sigue",
        "it": "Riporto",
    },
    "again": {
        "en": "Brought forward",
        "de": "Übertrag",
        "fr": "Report",
        "nl": "Transport",
        "es": "Suma y sigue",
        "it": "Riporto",
    },
    "base": {
        "en": "Net amount|Taxable amount",
        "de": "Nettobetrag|Bemessungsgrundlage",
        "fr": "Base HT|Base",
        "nl": "Grondslag|Base",
        "es": "Base",
        "it": "Imponibile",
    },
    "taxed": {
        "en": "VAT amount",
        "de": "Steuerbetrag",
        "fr": "Montant TVA",
        "nl": "BTW bedrag",
        "es": "Cuota IVA",
        "it": "Imposta",
    },
    "page": {
        "en": "Page",
        "de": "Seite",
        "fr": "Page",
        "nl": "Pagina",
        "es": "Página",
        "it": "Pagina",
    },
}
LABELS = {language: {role: by[language] for role, by in _BY_ROLE.items()} for language in ("en", "de", "fr", "nl", "es", "it")}
COMMA = frozenset({"de", "fr", "nl", "es", "it"})
_THINGS = (
    "Bolt|Washer|Cable|Lamp|Filter|Valve|Chair|Desk|Paper|Toner|Sensor|Gasket|Hinge|Battery|Adapter|Panel|Bracket|Motor|Pump|Hose|Switch"
    "|Router|Keyboard|Monitor|Screw|Service|Support|Consulting|Training|Cleaning|Licence"
)
THINGS = _THINGS.split("|")
_KINDS = "black|steel|M8|DN25|230V|256GB|wireless|premium|standard|type-B|series-3|galvanised|compact|PN16|XL|green|500ml|2-pack|IP67|60x40"
KINDS = _KINDS.split("|")
RATES = ((19,), (20,), (21,), (19, 7), (20, "5.5"), (0,), (25,), (22, 10))

# How many documents have each feature.
SHARES = {
    "pos": 0.5, "sku": 0.35, "qty": 0.92, "unit": 0.2, "price": 0.95, "disc": 0.12, "rate": 0.45, "head": 0.93, "carry": 0.35,
    "again": 0.75, "paid": 0.15, "ship": 0.12, "less": 0.1, "taxes": 0.35, "taxes_first": 0.3, "bottom": 0.05, "notes": 0.3,
    "price_notes": 0.12, "groups": 0.1, "inline": 0.12, "left": 0.2, "terms": 0.5, "stacked": 0.1, "facts": 0.7,
}  # fmt: skip


def cents(value: D, places: int = 2) -> D:
    return value.quantize(D(1).scaleb(-places), ROUND_HALF_UP)


@dataclass
class Made:
    """One invoice: its pages, its rows (`description`, `quantity`, `unit_price`, `amount`, `tax_rate` where printed) and its totals."""

    pages: list[Words]
    rows: list[dict[str, str]]
    totals: dict[str, str]
    known: bool
    headed: bool
    separator: str


class Sheet:
    """Pages being set, word by word."""

    def __init__(self, size: float) -> None:
        self.size = size
        self.pages: list[list[Word]] = [[]]

    def put(self, x: float, y: float, text: str, *, right: bool = False, size: float | None = None) -> None:
        """Words from x on, or ending at x, on the baseline y."""
        size = size or self.size
        widths = [sum(0.28 if char in ".,:;'|il " else 0.55 for char in word) * size for word in text.split(" ")]
        x -= (sum(widths) + 0.28 * size * (len(widths) - 1)) if right else 0
        for word, width in zip(text.split(" "), widths, strict=True):
            if word:
                self.pages[-1].append(Word(word, x, y - 0.8 * size, x + width, y + 0.2 * size))
            x += width + 0.28 * size

    def finished(self) -> list[Words]:
        return [
            Words(page=number, width=WIDTH, height=HEIGHT, source="text_layer", words=tuple(words))
            for number, words in enumerate(self.pages, start=1)
        ]


@dataclass
class Style:
    """Everything that chance decides about one invoice before its rows."""

    rnd: random.Random
    language: str
    labels: dict[str, str]
    separator: str
    group: str
    mark: str
    mark_left: bool
    columns: list[str]
    inclusive: bool
    rates: list[D]
    places: int
    flags: dict[str, bool] = field(default_factory=dict)

    def number(self, value: D, places: int = 2) -> str:
        whole, _, part = f"{abs(value):.{places}f}".partition(".")
        if self.group:
            groups = []
            while len(whole) > 3:
                groups.insert(0, whole[-3:])
                whole = whole[:-3]
            whole = self.group.join([whole, *groups])
        return ("-" if value < 0 else "") + whole + (self.separator + part if places else "")

    def money(self, value: D, places: int = 2) -> str:
        text = self.number(value, places)
        if not self.mark:
            return text
        return f"{self.mark}{text}" if self.mark_left else f"{text} {self.mark}"

    def rate(self, value: D) -> str:
        return str(value).replace(".", self.separator) + "%"


def pseudo(rnd: random.Random) -> str:
    """A word of no language."""
    return "".join(rnd.choice("bdfgklmnprstvz") + rnd.choice("aeiou") for _ in range(rnd.choice([2, 3, 3, 4]))).capitalize()


def style_of(rnd: random.Random, *, unknown: float, dropped: float) -> Style:
    language = rnd.choice(sorted(LABELS))
    made_up = rnd.random() < unknown
    labels = {role: rnd.choice(text.split("|")) for role, text in LABELS[language].items()}
    labels = {role: pseudo(rnd) if made_up or rnd.random() < dropped else text for role, text in labels.items()}
    separator = "," if language in COMMA and rnd.random() < 0.93 else "."
    has = {name: rnd.random() < share for name, share in SHARES.items()}
    order = rnd.choice(
        [["qty", "unit", "price", "disc", "rate"], ["price", "qty", "unit", "disc", "rate"], ["qty", "unit", "rate", "price", "disc"]]
    )
    columns = [name for name in ["pos", "sku", "desc", *order, "amount"] if has.get(name, True)]
    if rnd.random() < 0.12 and "qty" in columns:
        columns.remove("qty")
        columns.insert(0, "qty")
    mark, left = rnd.choice([("€", False), ("$", True), ("EUR", False), ("£", True)]) if rnd.random() < 0.45 else ("", False)
    group = rnd.choice({".": [",", "", "'"], ",": [".", ".", " ", ""]}[separator])
    rates = [D(str(rate)) for rate in rnd.choice(RATES)]
    places = rnd.choice([2, 2, 2, 2, 3, 4])
    name = "xx" if made_up else language
    return Style(rnd, name, labels, separator, group, mark, left, columns, rnd.random() < 0.12, rates, places, has)


@dataclass
class Line:
    words: list[str]
    quantity: D
    price: D
    discount: D
    amount: D
    rate: D
    sku: str


def lines_of(style: Style, count: int) -> list[Line]:
    rnd, lines = style.rnd, []
    for _ in range(count):
        quantity = (
            D(rnd.choice([1, 1, 2, 3, 4, 5, 10, 12, 25, 100]))
            if rnd.random() < 0.85
            else cents(D(str(rnd.uniform(0.25, 40))), rnd.choice([1, 2]))
        )
        quantity = quantity if "qty" in style.columns else D(1)
        price = cents(D(str(10 ** rnd.uniform(-0.2, 3.2))), style.places)
        discount = D(rnd.choice([0, 5, 10, 20])) if "disc" in style.columns else D(0)
        texts = [" ".join([rnd.choice(THINGS), *rnd.sample(KINDS, rnd.choice([0, 1, 2]))])]
        texts += [" ".join([rnd.choice(KINDS), *rnd.sample(THINGS, 2)]) for _ in range(rnd.choice([0, 0, 0, 1, 2]))]
        amount = cents(quantity * price * (100 - discount) / 100)
        lines.append(
            Line(texts, quantity, price, discount, amount, rnd.choice(style.rates), f"{rnd.choice('ABKX')}{rnd.randint(100, 99999)}")
        )
    return lines


def make(
    seed: int,
    *,
    unknown: float = 0.0,
    dropped: float = 0.0,
    rows: int | None = None,
    per_page: int | None = None,
    permute: int | None = None,
) -> Made:
    """One invoice. `unknown`: the share of documents in a language of no lexicon; `dropped`: of labels that are; `permute`: another seed
    for the order of the columns; `per_page`: rows after which a page ends."""
    rnd = random.Random(seed)
    style = style_of(rnd, unknown=unknown, dropped=dropped)
    lines = lines_of(style, rows or rnd.choice([1, 2, 3, 3, 4, 5, 6, 8, 12, 20, 35]))
    if permute is not None:
        random.Random(permute).shuffle(style.columns)
    size = rnd.choice([8, 9, 10])
    sheet = Sheet(size)
    y = _letterhead(sheet, style)
    y = _table(sheet, style, lines, y, per_page)
    totals = _sums(style, lines)
    _totals(sheet, style, totals, y)
    return Made(
        sheet.finished(),
        [_truth(style, line) for line in lines],
        _true_totals(style, totals),
        style.language != "xx",
        style.flags["head"],
        style.separator,
    )


def _truth(style: Style, line: Line) -> dict[str, str]:
    row = {"description": " ".join(line.words), "amount": str(line.amount)}
    for column, name, value in (("qty", "quantity", line.quantity), ("price", "unit_price", line.price), ("rate", "tax_rate", line.rate)):
        if column in style.columns:
            row[name] = str(value)
    return row


def _letterhead(sheet: Sheet, style: Style) -> float:
    rnd = style.rnd
    sheet.put(LEFT, 40, rnd.choice(["Muster Trading Ltd", "ACME Supplies GmbH", "Dupont et Fils"]))
    sheet.put(LEFT, 54, f"{rnd.choice(['Main Street', 'Hauptstr.'])} {rnd.randint(1, 99)}, {rnd.randint(10000, 99999)} Town")
    sheet.put(380, 60, f"INV-{rnd.randint(10000, 99999)}")
    sheet.put(380, 74, f"2024-03-1{rnd.randint(0, 9)}")
    if style.flags["facts"]:
        for number in range(rnd.choice([2, 3])):
            sheet.put(LEFT, 90 + 14 * number, f"{pseudo(rnd)}:")
            sheet.put(
                LEFT + 110,
                90 + 14 * number,
                rnd.choice(
                    [str(rnd.randint(1000, 99999999)), f"{rnd.randint(10, 28)}.04.2024", f"{rnd.randint(1, 999)},{rnd.randint(10, 99)} kg"]
                ),
            )
    return float(rnd.choice([160, 200, 260]))


def _edges(style: Style) -> dict[str, tuple[float, float]]:
    widths = dict(pos=30, sku=60, qty=52, unit=38, price=72, disc=48, rate=52, amount=78)
    fixed = sum(widths.get(column, 0) for column in style.columns)
    x, edges = LEFT, {}
    for column in style.columns:
        width = widths.get(column, RIGHT - LEFT - fixed)
        edges[column] = (x, x + width)
        x += width
    return edges


TEXTS = ("desc", "sku", "pos", "unit")


def _head(sheet: Sheet, style: Style, y: float, edges: dict[str, tuple[float, float]], pitch: float) -> float:
    if not style.flags["head"]:
        return y
    for column in style.columns:
        label, (x0, x1) = style.labels[column], edges[column]
        words = label.split(" ")
        parts = [words[0], " ".join(words[1:])] if style.flags["stacked"] and len(words) > 1 else [label]
        for number, part in enumerate(parts):
            if column in TEXTS:
                sheet.put(x0 + 2, y + pitch * (number - (len(parts) - 1)), part)
            else:
                sheet.put(x1 - 4, y + pitch * (number - (len(parts) - 1)), part, right=True)
    return y + 1.6 * pitch


def _table(sheet: Sheet, style: Style, lines: list[Line], y: float, per_page: int | None) -> float:
    rnd, edges = style.rnd, _edges(style)
    pitch, pad = sheet.size * rnd.choice([1.2, 1.3, 1.45]), rnd.choice([2, 5, 9])
    y, run = _head(sheet, style, y, edges, pitch), D(0)
    unit = rnd.choice(["", "", "Stk", "pcs", "h"])
    for number, line in enumerate(lines):
        notes = rnd.random() < 0.6
        height = len(line.words) * pitch + pad + pitch * (style.flags["notes"] and notes) + pitch * (style.flags["price_notes"] and notes)
        if y + height > 760 or (per_page and number and number % per_page == 0):
            y = _break(sheet, style, run, y, edges, pitch)
        if style.flags["groups"] and number in (0, 3):
            sheet.put(edges["desc"][0] + 2, y, f"{pseudo(rnd)} {pseudo(rnd)}")
            y += pitch + 8
        _row(sheet, style, line, number, y, edges, pitch, unit)
        y += len(line.words) * pitch
        if style.flags["notes"] and notes:
            sheet.put(edges["desc"][0] + 2, y, f"{pseudo(rnd)}: {rnd.choice(['DE', str(rnd.randint(1000, 9999999)), 'Lot 17'])}")
            y += pitch
        if style.flags["price_notes"] and notes and "price" in edges:
            sheet.put(edges["price"][1] - 4, y, f"{pseudo(rnd)}: {style.number(line.price * 2, style.places)}", right=True)
            y += pitch
        y += pad
        run += line.amount
    return y


def _row(
    sheet: Sheet, style: Style, line: Line, number: int, y: float, edges: dict[str, tuple[float, float]], pitch: float, unit: str
) -> None:
    for place, text in enumerate(line.words):
        sheet.put(edges["desc"][0] + 2, y + place * pitch, text)
    beside = y + (len(line.words) - 1) * pitch if style.flags["bottom"] else y
    places = max(0, -int(line.quantity.as_tuple().exponent)) if line.quantity % 1 else 0
    count = style.number(line.quantity, places) + (f" {unit}" if unit and "unit" not in edges else "")
    cells = {
        "pos": str(number + 1),
        "sku": line.sku,
        "qty": count,
        "unit": "pcs",
        "price": style.money(line.price, style.places),
        "disc": f"{line.discount}%" if line.discount else "",
        "rate": style.rate(line.rate),
        "amount": style.money(line.amount),
    }
    for column in style.columns:
        if column != "desc" and cells[column]:
            x0, x1 = edges[column]
            sheet.put(x0 + 2 if column in TEXTS else x1 - 4, beside, cells[column], right=column not in TEXTS)


def _break(sheet: Sheet, style: Style, run: D, y: float, edges: dict[str, tuple[float, float]], pitch: float) -> float:
    amount = edges["amount"][1] - 4
    if style.flags["carry"]:
        sheet.put(edges["desc"][0] + 2, y + 6, style.labels["carry"])
        sheet.put(amount, y + 6, style.money(run), right=True)
    sheet.put(RIGHT, 815, f"{style.labels['page']} {len(sheet.pages)}", right=True, size=7)
    sheet.pages.append([])
    sheet.put(LEFT, 40, "Muster Trading Ltd")
    y = _head(sheet, style, 100, edges, pitch) if style.flags["again"] else 100.0
    if style.flags["carry"]:
        sheet.put(edges["desc"][0] + 2, y, style.labels["again"])
        sheet.put(amount, y, style.money(run), right=True)
        y += 2 * pitch
    return y


def _sums(style: Style, lines: list[Line]) -> dict[str, object]:
    rnd, rows = style.rnd, sum((line.amount for line in lines), D(0))
    ship = cents(D(str(rnd.uniform(3, 40)))) if style.flags["ship"] and not style.inclusive else D(0)
    less = cents(rows * D("0.03")) if style.flags["less"] and not style.inclusive else D(0)
    base = {rate: sum((line.amount for line in lines if line.rate == rate), D(0)) for rate in style.rates}
    base[style.rates[0]] += ship - less
    if style.inclusive:
        tax = {rate: cents(value * rate / (100 + rate)) for rate, value in base.items()}
        gross = sum(base.values(), D(0))
        base = {rate: value - tax[rate] for rate, value in base.items()}
    else:
        tax = {rate: cents(value * rate / 100) for rate, value in base.items()}
        gross = sum(base.values(), D(0)) + sum(tax.values(), D(0))
    paid = cents(gross * D("0.3")) if style.flags["paid"] else D(0)
    return dict(ship=ship, less=less, base=base, tax=tax, net=gross - sum(tax.values(), D(0)), gross=gross, paid=paid)


def _true_totals(style: Style, sums: dict[str, object]) -> dict[str, str]:
    tax: dict[D, D] = sums["tax"]  # type: ignore[assignment]
    truth = {"net_total": str(sums["net"]), "gross_total": str(sums["gross"]), "amount_due": str(sums["gross"] - sums["paid"])}  # type: ignore[operator]
    return truth | {"tax_total": str(sum(tax.values(), D(0)))}


def _totals(sheet: Sheet, style: Style, sums: dict, y: float) -> None:
    pitch = sheet.size * 1.35
    if y + 14 * pitch > 780:
        sheet.pages.append([])
        y = 90.0
    y += 14
    if style.flags["taxes"] and style.flags["taxes_first"]:
        y = _breakdown(sheet, style, sums, y, pitch)
    left, right = (LEFT, LEFT + 220) if style.flags["left"] else (370.0, RIGHT - 4)
    for label, value in _lines_of_totals(style, sums):
        if style.flags["inline"]:
            sheet.put(left, y, f"{label}: {style.money(value)}")
        else:
            sheet.put(left, y, label)
            sheet.put(right, y, style.money(value), right=True)
        y += pitch + 2
    if style.flags["taxes"] and not style.flags["taxes_first"]:
        y = _breakdown(sheet, style, sums, y + 10, pitch)
    if style.flags["terms"]:
        _terms(sheet, style, sums["gross"], y + 14, pitch)


def _lines_of_totals(style: Style, sums: dict) -> list[tuple[str, D]]:
    labels, lines = style.labels, []
    if sums["ship"]:
        lines.append((labels["ship"], sums["ship"]))
    if sums["less"]:
        lines.append((labels["less"], -sums["less"]))
    lines.append((labels["net"], sums["net"]))
    lines += [(f"{labels['tax']} {style.rate(rate)}", value) for rate, value in sums["tax"].items()]
    lines.append((labels["gross"], sums["gross"]))
    if sums["paid"]:
        lines.append((labels["paid"], -sums["paid"] if style.rnd.random() < 0.5 else sums["paid"]))
        lines.append((labels["due"], sums["gross"] - sums["paid"]))
    return lines


def _terms(sheet: Sheet, style: Style, gross: D, y: float, pitch: float) -> None:
    """A sentence with money in it, and an account."""
    one, two, three, four = (pseudo(style.rnd) for _ in range(4))
    sheet.put(LEFT, y, f"{one} {two.lower()} 2 % {three.lower()} 10 {four.lower()}, {style.money(cents(gross * D('0.98')))}")
    digits = " ".join(str(style.rnd.randint(1000, 9999)) for _ in range(3))
    sheet.put(LEFT, y + pitch, f"IBAN DE{style.rnd.randint(10, 99)} {digits} 00")


def _breakdown(sheet: Sheet, style: Style, sums: dict, y: float, pitch: float) -> float:
    for x, label in ((60, "rate"), (180, "base"), (270, "taxed")):
        sheet.put(x, y, style.labels[label], right=x > 60)
    for rate in style.rates:
        y += pitch
        sheet.put(60, y, style.rate(rate))
        sheet.put(180, y, style.money(sums["base"][rate]), right=True)
        sheet.put(270, y, style.money(sums["tax"][rate]), right=True)
    return y + 2 * pitch
