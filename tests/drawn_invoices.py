"""Invoices drawn on a page from a few plain facts: five languages, five layouts, and marks on top. Nothing here comes from a document."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pymupdf

A4 = (595.0, 842.0)
LEFT, MIDDLE, RIGHT = 56.0, 340.0, 540.0
SIZE = 10.0
LAYOUTS = ("columns", "lines", "grid", "row", "letter")
FONTS = {"ko": pymupdf.Font("korea")}
LATIN = pymupdf.Font("helv")


@dataclass(frozen=True)
class Language:
    """What an invoice of a language prints, and how it writes amounts and dates."""

    title: str
    number: str
    date: str
    due: str
    seller_head: str
    buyer: str
    head: tuple[str, str, str, str]
    net: str
    tax: str
    gross: str
    seller: tuple[str, ...]
    customer: tuple[str, ...]
    things: tuple[str, ...]
    thanks: str
    decimal: str
    group: str
    form: str
    rate: int = 20
    money: str = "EUR"

    def amount(self, value: Decimal) -> str:
        text = f"{value:,.2f}" if self.decimal else f"{value:,.0f}"
        return text.replace(",", "\0").replace(".", self.decimal or ".").replace("\0", self.group)

    def day(self, iso: str) -> str:
        year, month, day = iso.split("-")
        return self.form.format(year=year, month=month, day=day)


LANGUAGES = {
    "en": Language(
        "Invoice", "Invoice number", "Invoice date", "Due date", "Seller", "Bill to", ("Description", "Quantity", "Unit price", "Amount"),
        "Net total", "VAT 20%", "Gross total", ("Brightwell Lamps Ltd", "12 Mill Lane", "Leeds LS1 4DP"),
        ("Northgate Books Ltd", "4 Harbour Street", "York YO1 9TL"), ("Desk lamp", "Floor lamp", "Shade, green", "Bulb, warm white"),
        "Thank you for your order.", ".", ",", "{day}/{month}/{year}", money="GBP",
    ),
    "de": Language(
        "Rechnung", "Rechnungsnummer", "Rechnungsdatum", "Fällig am", "Lieferant", "Rechnungsempfänger",
        ("Bezeichnung", "Menge", "Einzelpreis", "Betrag"), "Nettobetrag", "MwSt. 19%", "Gesamtbetrag",
        ("Lindenhof Leuchten GmbH", "Buchenweg 14", "35037 Marburg"), ("Buchhandlung Nordlicht KG", "Hafenstraße 7", "24103 Kiel"),
        ("Schreibtischlampe", "Stehlampe", "Schirm, grün", "Glühlampe, warmweiß"), "Wir danken für Ihren Auftrag.", ",", ".",
        "{day}.{month}.{year}", 19,
    ),
    "fr": Language(
        "Facture", "Numéro de facture", "Date de facture", "Date d'échéance", "Fournisseur", "Facturé à",
        ("Désignation", "Quantité", "Prix unitaire", "Montant HT"), "Total HT", "TVA 20%", "Total TTC",
        ("Lumières du Midi SARL", "8 rue des Tilleuls", "31000 Toulouse"), ("Librairie du Port SAS", "3 quai des Brumes", "29200 Brest"),
        ("Lampe de bureau", "Lampadaire", "Abat-jour vert", "Ampoule blanche"), "Merci de votre confiance.", ",", " ",
        "{day}/{month}/{year}",
    ),
    "es": Language(
        "Factura", "Número de factura", "Fecha de factura", "Fecha de vencimiento", "Proveedor", "Cliente",
        ("Descripción", "Cantidad", "Precio unitario", "Importe"), "Base imponible", "IVA 21%", "Total factura",
        ("Luces del Sur S.L.", "Calle Olivo 8", "41001 Sevilla"), ("Librería Puerto S.L.", "Calle Faro 3", "28001 Madrid"),
        ("Lámpara de mesa", "Lámpara de pie", "Pantalla verde", "Bombilla cálida"), "Gracias por su pedido.", ",", ".",
        "{day}/{month}/{year}", 21,
    ),
    "ko": Language(
        "청구서", "청구서 번호", "발행일", "지급기한", "공급자", "공급받는자", ("품목", "수량", "단가", "금액"),
        "공급가액", "부가세 10%", "합계금액",
        (), (),
        ("책상등", "스탠드등", "전등갓", "전구"), "감사합니다.", "", ",", "{year}-{month}-{day}", 10, "KRW",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Bill:
    """What one page prints. `marks` name a printed part (`number`, `date`, `total`, ...) and what is drawn over it."""

    language: str
    layout: str
    title: str
    facts: tuple[tuple[str, str, str], ...]
    rows: tuple[tuple[str, str, str, str], ...]
    totals: tuple[tuple[str, str, str], ...]
    below_title: str = ""
    stamp: str = ""
    notes: tuple[str, ...] = ()
    marks: tuple[tuple[str, str, str], ...] = ()
    true: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> Language:
        return LANGUAGES[self.language]

    def fact(self, key: str, value: str, label: str | None = None) -> Bill:
        """The same with another fact or total."""
        facts = tuple((k, label or name, value) if k == key else (k, name, text) for k, name, text in self.facts)
        totals = tuple((k, label or name, value) if k == key else (k, name, text) for k, name, text in self.totals)
        return replace(self, facts=facts, totals=totals)

    def more(self, *facts: tuple[str, str, str], first: bool = False) -> Bill:
        return replace(self, facts=(*facts, *self.facts) if first else (*self.facts, *facts))


def honest(language: str, layout: str, seed: int) -> Bill:
    """An ordinary invoice."""
    rnd, words = random.Random(seed), LANGUAGES[language]
    cents = Decimal("0.01") if words.decimal else Decimal(1)
    scale = 1 if words.decimal else 1000
    rows, net = [], Decimal(0)
    for thing in rnd.sample(words.things, rnd.choice([1, 2, 3, 4])):
        quantity, price = Decimal(rnd.randint(2, 9)), (Decimal(rnd.randint(500, 20000)) / 100 * scale).quantize(cents)
        net += quantity * price
        rows.append((thing, str(quantity), words.amount(price), words.amount(quantity * price)))
    tax = (net * words.rate / 100).quantize(cents)
    number = rnd.choice(["R-2041-{}", "2026{}", "INV{}", "26/0{}"]).format(rnd.randint(100, 999))
    date, due = f"2026-03-{rnd.randint(13, 28)}", f"2026-04-{rnd.randint(13, 28)}"
    facts = [("number", words.number, number), ("date", words.date, words.day(date))]
    facts += [("due", words.due, words.day(due))] if seed % 3 else []
    mark = f" {words.money}" if seed % 2 else ""
    totals = (
        ("net", words.net, words.amount(net) + mark),
        ("tax", words.tax, words.amount(tax) + mark),
        ("total", words.gross, words.amount(net + tax) + mark),
    )
    true = {"invoice_number": number, "issue_date": date, "net_total": str(net), "tax_total": str(tax), "gross_total": str(net + tax)}
    return Bill(language, layout, words.title, tuple(facts), tuple(rows), totals, true=true | ({"due_date": due} if seed % 3 else {}))


class Pen:
    """A page being drawn; remembers where each named part stands."""

    def __init__(self, document: pymupdf.Document, language: str) -> None:
        self.page = document.new_page(width=A4[0], height=A4[1])
        self.font = FONTS.get(language, LATIN)
        self.writer = pymupdf.TextWriter(self.page.rect)
        self.places: dict[str, pymupdf.Rect] = {}

    def text(self, x: float, y: float, text: str, size: float = SIZE, *, right: bool = False, key: str = "") -> float:
        """One line; returns where it ends."""
        width = self.font.text_length(text, size)
        x -= width if right else 0.0
        if text:
            self.writer.append((x, y), text, font=self.font, fontsize=size)
        if key:
            self.places[key] = pymupdf.Rect(x, y - 0.75 * size, x + width, y + 0.2 * size)
        return x + width

    def stack(self, x: float, y: float, text: str, key: str, *, right: bool = False) -> None:
        """The lines of a value below one another; the first one's place is remembered."""
        for step, line in enumerate(text.split("\n")):
            self.text(x, y + 12 * step, line, right=right, key="" if step else key)

    def rule(self, x0: float, y0: float, x1: float, y1: float, width: float = 0.6) -> None:
        self.page.draw_line((x0, y0), (x1, y1), width=width)


def draw(*bills: Bill) -> pymupdf.Document:
    """One page each."""
    document = pymupdf.open()
    for bill in bills:
        pen = Pen(document, bill.language)
        y = _table(pen, bill, _head(pen, bill))
        y = _totals(pen, bill, y)
        for place, note in enumerate(bill.notes):
            pen.text(LEFT, y + 40 + 14 * place, note, 9)
        pen.text(LEFT, y + 100, bill.words.thanks, 9)
        pen.writer.write_text(pen.page)
        for key, how, text in bill.marks:
            _mark(pen, pen.places[key], how, text)
        if bill.stamp:
            _stamp(pen, bill.stamp)
    return document


def save(path: Path, *bills: Bill) -> Path:
    document = draw(*bills)
    document.subset_fonts()
    document.save(path)
    return path


def _head(pen: Pen, bill: Bill) -> float:
    words = bill.words
    top = 150.0
    if bill.layout == "letter" and words.seller:
        pen.text(LEFT, 56, words.seller[0], 14)
        pen.text(LEFT, 130, " · ".join(words.seller), 7)
    elif words.seller:
        pen.text(LEFT, 50, words.seller_head, 9)
        for place, line in enumerate(words.seller):
            pen.text(LEFT, 66 + 14 * place, line)
        pen.text(LEFT, 132, words.buyer, 9)
    for place, line in enumerate(words.customer):
        pen.text(LEFT, top + 14 * place, line)
    title_y = 222.0
    pen.text(LEFT, title_y, bill.title, 18, key="title")
    if bill.below_title:
        pen.text(LEFT, title_y + 15, bill.below_title)
    return {"columns": _columns, "letter": _columns, "lines": _lines, "grid": _grid, "row": _row}[bill.layout](pen, bill, title_y)


def _columns(pen: Pen, bill: Bill, title_y: float) -> float:
    letter = bill.layout == "letter"
    for place, (key, label, value) in enumerate(bill.facts):
        y = 130 + 15 * place
        pen.text(MIDDLE, y, label + ":" * letter)
        pen.stack(RIGHT if letter else MIDDLE + 110, y, value, key, right=letter)
    return title_y + 44


def _lines(pen: Pen, bill: Bill, title_y: float) -> float:
    for place, (key, label, value) in enumerate(bill.facts):
        y = title_y + 34 + 15 * place
        pen.stack(pen.text(LEFT, y, f"{label}: "), y, value, key)
    return title_y + 64 + 15 * len(bill.facts)


def _grid(pen: Pen, bill: Bill, title_y: float) -> float:
    width, y = (RIGHT - LEFT) / len(bill.facts), title_y + 28
    for place, (key, label, value) in enumerate(bill.facts):
        x = LEFT + width * place
        pen.page.draw_rect((x, y, x + width, y + 42), width=0.6)
        pen.text(x + 4, y + 12, label, 8)
        pen.stack(x + 4, y + 26, value, key)
    return y + 70


def _row(pen: Pen, bill: Bill, title_y: float) -> float:
    width, y = (RIGHT - LEFT) / len(bill.facts), title_y + 34
    for place, (key, label, value) in enumerate(bill.facts):
        pen.text(LEFT + width * place, y, label, 9)
        pen.stack(LEFT + width * place, y + 14, value, key)
    return y + 60


def _table(pen: Pen, bill: Bill, y: float) -> float:
    edges = (LEFT, 330.0, 430.0, RIGHT)
    for place, (x, label) in enumerate(zip(edges, bill.words.head, strict=True)):
        pen.text(x, y, label, 9, right=place > 0)
    pen.rule(LEFT, y + 5, RIGHT, y + 5)
    for row, cells in enumerate(bill.rows):
        y += 18
        for place, (x, text) in enumerate(zip(edges, cells, strict=True)):
            pen.text(x, y, text, 9, right=place > 0, key=f"row{row}.{place}")
    return y + 12


def _totals(pen: Pen, bill: Bill, y: float) -> float:
    pen.rule(LEFT, y, RIGHT, y)
    for key, label, value in bill.totals:
        y += 17
        pen.text(MIDDLE, y, label)
        pen.text(RIGHT, y, value, right=True, key=key)
    return y


def _mark(pen: Pen, box: pymupdf.Rect, how: str, text: str) -> None:
    """Something drawn over or beside a printed part."""
    page, middle = pen.page, (box.y0 + box.y1) / 2
    if how == "line":
        page.draw_line((box.x0 - 2, middle), (box.x1 + 2, middle), width=1)
    elif how == "bar":
        page.draw_rect((box.x0 - 1, middle - 0.6, box.x1 + 1, middle + 0.6), fill=(0.8, 0, 0), width=0)
    elif how == "slanted":
        page.draw_line((box.x0 - 2, box.y1 - 2), (box.x1 + 2, box.y0 + 2), width=1, color=(0, 0, 0.7))
    elif how == "cross":
        page.draw_line((box.x0, box.y1), (box.x1, box.y0), width=1)
        page.draw_line((box.x0, box.y0), (box.x1, box.y1), width=1)
    elif how == "annotation":
        page.add_strikeout_annot(box)
    elif how == "pen":
        page.draw_bezier(
            (box.x0 - 2, middle + 2), (box.x0 + 10, middle - 3), (box.x1 - 10, middle + 3), (box.x1 + 3, middle - 1), width=1.2
        )
    if text:
        page.insert_text((box.x1 + 6, box.y1 - 2) if box.x1 < 490 else (box.x0, box.y0 - 2), text, fontsize=9, color=(0, 0, 0.7))


def _stamp(pen: Pen, text: str) -> None:
    font = "korea" if pen.font is FONTS["ko"] else "helv"
    pen.page.insert_text((330, 100), text, fontname=font, fontsize=22, color=(0.8, 0.1, 0.1))
