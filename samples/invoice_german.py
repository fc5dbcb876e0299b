"""A German invoice of two pages: the table crosses the page break with a repeated header and a carried sum."""

from __future__ import annotations

from decimal import Decimal

import pymupdf
from invoices import Invoice, Item, Party
from paper import Column, Sheet, money


def _date(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{day}.{month}.{year}"


def _euro(value: Decimal | str) -> str:
    return money(value, ",", ".")


INVOICE = Invoice(
    number="2025-04817",
    issued="2025-03-14",
    due="2025-04-13",
    delivered="2025-03-11",
    order="B-77312",
    currency="EUR",
    seller=Party("Lindenhof Werkzeughandel GmbH", "Buchenweg 14", "35037 Marburg", "DE812345673"),
    buyer=Party("Tischlerei Nordlicht KG", "Hafenstraße 7", "24103 Kiel", "DE298765435"),
    iban="DE44 5001 0517 5407 3249 31",
    terms="Zahlbar innerhalb von 30 Tagen ohne Abzug.",
    items=(
        Item(("Akku-Bohrschrauber 18 V", "mit zwei Akkus und Ladegerät"), "3", "Stk", "189.00", "19"),
        Item(("Bit-Satz Torx, 32-teilig",), "6", "Stk", "14.95", "19"),
        Item(("Holzschrauben 4 x 40, verzinkt", "Packung zu 500 Stück"), "12", "Pck", "18.40", "19"),
        Item(("Holzschrauben 5 x 60, verzinkt", "Packung zu 200 Stück"), "10", "Pck", "16.75", "19"),
        Item(("Schleifpapier Körnung 80",), "25", "Bg", "1.35", "19"),
        Item(("Schleifpapier Körnung 120",), "25", "Bg", "1.35", "19"),
        Item(("Schleifpapier Körnung 240",), "40", "Bg", "1.45", "19"),
        Item(("Exzenterschleifer 150 mm", "mit Absaugschlauch 4 m"), "1", "Stk", "264.00", "19"),
        Item(("Holzleim wasserfest, 750 g",), "8", "Fl", "9.80", "19"),
        Item(("Schraubzwinge 400 mm",), "12", "Stk", "22.60", "19"),
        Item(("Schraubzwinge 800 mm",), "6", "Stk", "34.90", "19"),
        Item(("Stechbeitel-Satz, 6-teilig", "im Holzkasten"), "2", "Set", "118.50", "19"),
        Item(("Japansäge 240 mm",), "4", "Stk", "41.20", "19"),
        Item(("Gehörschutz, faltbar",), "10", "Stk", "17.30", "19"),
        Item(("Schutzbrille klar",), "20", "Stk", "6.45", "19"),
        Item(("Arbeitshandschuhe Größe 9", "Zwölferpack"), "5", "Pck", "27.80", "19"),
        Item(("Leinölfirnis 5 Liter",), "3", "Kan", "44.25", "19"),
        Item(("Hartwachsöl seidenmatt 2,5 Liter",), "4", "Ds", "79.90", "19"),
        Item(("Pinsel-Satz, 5-teilig",), "7", "Set", "12.15", "19"),
        Item(("Baumwolltücher, 10 kg",), "2", "Krt", "31.00", "19"),
        Item(("Maßband 5 m",), "15", "Stk", "8.70", "19"),
        Item(("Winkel 300 mm, Stahl",), "6", "Stk", "19.85", "19"),
    ),
)
_COLUMNS = (
    Column("Pos.", 56),
    Column("Bezeichnung", 90),
    Column("Menge", 318, "right"),
    Column("Einheit", 330),
    Column("Einzelpreis", 428, "right"),
    Column("MwSt.", 470, "right"),
    Column("Betrag EUR", 540, "right"),
)
_BREAK = 13  # positions on the first page


def draw() -> pymupdf.Document:
    """Two pages: head and thirteen positions, a carried sum, the rest and the totals."""
    document = pymupdf.open()
    first = Sheet(document)
    _head(first, INVOICE)
    y = _rows(first, 318, 0, INVOICE.items[:_BREAK])
    carried = sum((item.amount for item in INVOICE.items[:_BREAK]), Decimal(0))
    first.text(428, y + 8, "Übertrag", 9, bold=True, align="right")
    first.text(540, y + 8, _euro(carried), 9, bold=True, align="right")
    _foot(first, 1)
    first.done()
    second = Sheet(document)
    second.text(56, 60, f"Rechnung {INVOICE.number} vom {_date(INVOICE.issued)}", 10)
    second.text(428, 108, "Übertrag", 9, bold=True, align="right")
    second.text(540, 108, _euro(carried), 9, bold=True, align="right")
    y = _rows(second, 88, _BREAK, INVOICE.items[_BREAK:], gap=38)
    _totals(second, y + 10)
    _foot(second, 2)
    second.done()
    return document


def _head(sheet: Sheet, invoice: Invoice) -> None:
    sheet.text(56, 64, invoice.seller.name, 16, bold=True)
    sheet.text(56, 80, "Maschinen, Werkzeuge und Holzschutz seit 1987", 9)
    sheet.text(56, 128, f"{invoice.seller.name} · {invoice.seller.street} · {invoice.seller.town}", 7)
    sheet.lines(56, 146, ("Rechnungsempfänger",), 8)
    sheet.lines(56, 162, (invoice.buyer.name, invoice.buyer.street, invoice.buyer.town), 11)
    facts = (
        ("Rechnungsnummer", invoice.number),
        ("Rechnungsdatum", _date(invoice.issued)),
        ("Lieferdatum", _date(invoice.delivered or "")),
        ("Ihre Bestellnummer", invoice.order or ""),
        ("Kundennummer", "10482"),
        ("Ihre USt-IdNr.", invoice.buyer.tax_id or ""),
    )
    for place, (label, value) in enumerate(facts):
        sheet.text(356, 148 + 15 * place, label + ":", 9.5)
        sheet.text(540, 148 + 15 * place, value, 9.5, align="right")
    sheet.text(56, 262, "Rechnung", 18, bold=True)
    sheet.text(56, 284, "Wir danken für Ihren Auftrag und berechnen Ihnen:", 10)


def _rows(sheet: Sheet, y: float, before: int, items: tuple[Item, ...], gap: float = 18) -> float:
    sheet.row(y, _COLUMNS, [column.title for column in _COLUMNS], bold=True)
    sheet.rule(56, y + 5, 540, y + 5)
    y += gap
    for place, item in enumerate(items, before + 1):
        quantity, rate = item.quantity.replace(".", ","), f"{item.tax_rate} %"
        cells = (str(place), item.description[0], quantity, item.unit, _euro(item.unit_price), rate, _euro(item.amount))
        sheet.row(y, _COLUMNS, cells)
        for line in item.description[1:]:
            y += 12
            sheet.text(90, y, line, 9)
        y += 20
    sheet.rule(56, y - 9, 540, y - 9)
    return y


def _totals(sheet: Sheet, y: float) -> None:
    totals = (("Nettobetrag", INVOICE.net), ("zzgl. 19 % MwSt.", INVOICE.tax), ("Gesamtbetrag", INVOICE.gross))
    for place, (label, value) in enumerate(totals):
        last = place == len(totals) - 1
        sheet.text(428, y + 17 * place, label, 10, bold=last, align="right")
        sheet.text(540, y + 17 * place, f"{_euro(value)} €", 10, bold=last, align="right")
    sheet.text(56, y + 80, f"Zahlungsbedingungen: {INVOICE.terms}", 10)
    sheet.text(56, y + 97, f"Fällig am: {_date(INVOICE.due)}", 10)


def _foot(sheet: Sheet, number: int) -> None:
    sheet.rule(56, 776, 540, 776, 0.4)
    seller = INVOICE.seller
    sheet.lines(56, 788, (seller.name, seller.street, seller.town), 7.5)
    sheet.lines(240, 788, (f"USt-IdNr.: {seller.tax_id}", "Amtsgericht Marburg HRB 5521", "Geschäftsführerin: Ulrike Sandner"), 7.5)
    sheet.lines(410, 788, ("Sparbank Marburg", f"IBAN: {INVOICE.iban}"), 7.5)
    sheet.text(540, 826, f"Seite {number} von 2", 7.5, align="right")
