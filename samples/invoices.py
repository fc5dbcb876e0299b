"""Four invoices of companies that do not exist, from four countries: what they say, and how each is laid out on paper."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pymupdf
from paper import Column, Sheet, money

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Party:
    """Who sells or buys."""

    name: str
    street: str
    town: str
    tax_id: str | None = None

    def expected(self) -> dict[str, Any]:
        return {"name": self.name, "address": f"{self.street}, {self.town}", "tax_id": self.tax_id and self.tax_id.replace(" ", "")}


@dataclass(frozen=True)
class Item:
    """A position; the description's lines are printed below one another."""

    description: tuple[str, ...]
    quantity: str
    unit: str
    unit_price: str
    tax_rate: str

    @property
    def amount(self) -> Decimal:
        return (Decimal(self.quantity) * Decimal(self.unit_price)).quantize(CENT, ROUND_HALF_UP)

    def expected(self, *, rate: bool = True) -> dict[str, Any]:
        return {
            "description": " ".join(self.description),
            "quantity": self.quantity,
            "unit_price": self.unit_price,
            "amount": str(self.amount),
            "tax_rate": self.tax_rate if rate else None,
        }


@dataclass(frozen=True)
class Invoice:
    """What an invoice says, before it is laid out."""

    number: str
    issued: str
    due: str
    currency: str
    seller: Party
    buyer: Party
    items: tuple[Item, ...]
    iban: str | None = None
    delivered: str | None = None
    order: str | None = None
    terms: str | None = None
    charge: str | None = None

    @property
    def net(self) -> Decimal:
        return sum((item.amount for item in self.items), Decimal(self.charge or 0))

    def taxes(self) -> list[tuple[str, Decimal, Decimal]]:
        """Rate, base and tax of every rate; what is charged on top has the first position's rate."""
        rates = sorted({item.tax_rate for item in self.items}, key=Decimal, reverse=True)
        bases = {rate: sum((item.amount for item in self.items if item.tax_rate == rate), Decimal(0)) for rate in rates}
        bases[self.items[0].tax_rate] += Decimal(self.charge or 0)
        return [(rate, bases[rate], (bases[rate] * Decimal(rate) / 100).quantize(CENT, ROUND_HALF_UP)) for rate in rates]

    @property
    def tax(self) -> Decimal:
        return sum((tax for _, _, tax in self.taxes()), Decimal(0))

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax

    def expected(self, *, rates: bool = True, summary: bool = False) -> dict[str, Any]:
        """The `data` of a right reading; `rates`: the rows print their tax rate, `summary`: a table of tax rates is printed."""
        return {
            "invoice_number": self.number,
            "issue_date": self.issued,
            "due_date": self.due,
            "delivery_date": self.delivered,
            "order_number": self.order,
            "currency": self.currency,
            "seller": self.seller.expected(),
            "buyer": self.buyer.expected(),
            "line_items": [item.expected(rate=rates) for item in self.items],
            "charge_total": self.charge,
            "allowance_total": None,
            "net_total": str(self.net),
            "tax_total": str(self.tax),
            "gross_total": str(self.gross),
            "prepaid_amount": None,
            "rounding": None,
            "amount_due": str(self.gross),
            "taxes": [{"rate": rate, "base": str(base), "amount": str(tax)} for rate, base, tax in self.taxes()] if summary else [],
            "iban": self.iban and self.iban.replace(" ", ""),
            "payment_terms": self.terms,
        }


def _de(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{day}.{month}.{year}"


def _slashed(iso: str) -> str:
    return _de(iso).replace(".", "/")


def _euro(value: Decimal | str) -> str:
    return money(value, ",", ".")


# ---- Germany: two pages, the table crosses the page break ------------------------------------------------------------

GERMAN = Invoice(
    number="2025-04817",
    issued="2025-03-14",
    due="2025-04-13",
    delivered="2025-03-11",
    order="B-77312",
    currency="EUR",
    seller=Party("Lindenhof Werkzeughandel GmbH", "Buchenweg 14", "35037 Marburg", "DE812345673"),
    buyer=Party("Tischlerei Nordlicht KG", "Hafenstraße 7", "24103 Kiel", "DE298765433"),
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
        Item(("Leinölfirnis 5 l",), "3", "Kan", "44.25", "19"),
        Item(("Hartwachsöl seidenmatt 2,5 l",), "4", "Ds", "79.90", "19"),
        Item(("Pinsel-Satz, 5-teilig",), "7", "Set", "12.15", "19"),
        Item(("Baumwolltücher, 10 kg",), "2", "Krt", "31.00", "19"),
        Item(("Maßband 5 m",), "15", "Stk", "8.70", "19"),
        Item(("Winkel 300 mm, Stahl",), "6", "Stk", "19.85", "19"),
    ),
)
_GERMAN_COLUMNS = (
    Column("Pos.", 56),
    Column("Bezeichnung", 90),
    Column("Menge", 318, "right"),
    Column("Einheit", 330),
    Column("Einzelpreis", 428, "right"),
    Column("MwSt.", 470, "right"),
    Column("Betrag EUR", 540, "right"),
)
_GERMAN_BREAK = 13  # positions on the first page


def german() -> pymupdf.Document:
    """Two pages: head and thirteen positions, a carried sum, the rest and the totals."""
    document = pymupdf.open()
    first = Sheet(document)
    _german_head(first, GERMAN)
    y = _german_rows(first, 318, 0, GERMAN.items[:_GERMAN_BREAK])
    carried = sum((item.amount for item in GERMAN.items[:_GERMAN_BREAK]), Decimal(0))
    first.text(428, y + 8, "Übertrag", 9, bold=True, align="right")
    first.text(540, y + 8, _euro(carried), 9, bold=True, align="right")
    _german_foot(first, 1)
    second = Sheet(document)
    second.text(56, 60, f"Rechnung {GERMAN.number} vom {_de(GERMAN.issued)}", 10)
    second.text(428, 108, "Übertrag", 9, bold=True, align="right")
    second.text(540, 108, _euro(carried), 9, bold=True, align="right")
    y = _german_rows(second, 88, _GERMAN_BREAK, GERMAN.items[_GERMAN_BREAK:], gap=38)
    _german_totals(second, y + 10)
    _german_foot(second, 2)
    first.done()
    second.done()
    return document


def _german_head(sheet: Sheet, invoice: Invoice) -> None:
    sheet.text(56, 64, invoice.seller.name, 16, bold=True)
    sheet.text(56, 80, "Maschinen, Werkzeuge und Holzschutz seit 1987", 9)
    sheet.text(56, 128, f"{invoice.seller.name} · {invoice.seller.street} · {invoice.seller.town}", 7)
    sheet.lines(56, 148, (invoice.buyer.name, invoice.buyer.street, invoice.buyer.town), 11)
    facts = (
        ("Rechnungsnummer", invoice.number),
        ("Rechnungsdatum", _de(invoice.issued)),
        ("Lieferdatum", _de(invoice.delivered or "")),
        ("Ihre Bestellnummer", invoice.order or ""),
        ("Kundennummer", "10482"),
        ("Ihre USt-IdNr.", invoice.buyer.tax_id or ""),
    )
    for place, (label, value) in enumerate(facts):
        sheet.text(356, 148 + 15 * place, label + ":", 9.5)
        sheet.text(540, 148 + 15 * place, value, 9.5, align="right")
    sheet.text(56, 262, "Rechnung", 18, bold=True)
    sheet.text(56, 284, "Wir danken für Ihren Auftrag und berechnen Ihnen:", 10)


def _german_rows(sheet: Sheet, y: float, before: int, items: tuple[Item, ...], gap: float = 18) -> float:
    sheet.row(y, _GERMAN_COLUMNS, [column.title for column in _GERMAN_COLUMNS], bold=True)
    sheet.rule(56, y + 5, 540, y + 5)
    y += gap
    for place, item in enumerate(items, before + 1):
        quantity, rate = item.quantity.replace(".", ","), f"{item.tax_rate} %"
        cells = (str(place), item.description[0], quantity, item.unit, _euro(item.unit_price), rate, _euro(item.amount))
        sheet.row(y, _GERMAN_COLUMNS, cells)
        for line in item.description[1:]:
            y += 12
            sheet.text(90, y, line, 9)
        y += 20
    sheet.rule(56, y - 9, 540, y - 9)
    return y


def _german_totals(sheet: Sheet, y: float) -> None:
    totals = (("Nettobetrag", GERMAN.net), ("zzgl. 19 % MwSt.", GERMAN.tax), ("Gesamtbetrag", GERMAN.gross))
    for place, (label, value) in enumerate(totals):
        last = place == len(totals) - 1
        sheet.text(428, y + 17 * place, label, 10, bold=last, align="right")
        sheet.text(540, y + 17 * place, f"{_euro(value)} €", 10, bold=last, align="right")
    sheet.text(56, y + 80, f"Zahlungsbedingungen: {GERMAN.terms}", 10)
    sheet.text(56, y + 97, f"Fällig am: {_de(GERMAN.due)}", 10)


def _german_foot(sheet: Sheet, number: int) -> None:
    sheet.rule(56, 776, 540, 776, 0.4)
    seller = GERMAN.seller
    sheet.lines(56, 788, (seller.name, seller.street, seller.town), 7.5)
    sheet.lines(240, 788, (f"USt-IdNr.: {seller.tax_id}", "Amtsgericht Marburg HRB 5521", "Geschäftsführerin: Ulrike Sandner"), 7.5)
    sheet.lines(410, 788, ("Sparbank Marburg", f"IBAN: {GERMAN.iban}"), 7.5)
    sheet.text(540, 826, f"Seite {number} von 2", 7.5, align="right")
