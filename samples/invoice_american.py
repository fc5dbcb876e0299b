"""An American invoice of two pages, month before day, without tax on the rows; it is sent as a fax."""

from __future__ import annotations

from decimal import Decimal

import pymupdf
from invoices import Invoice, Item, Party
from paper import Column, Sheet, money

INVOICE = Invoice(
    number="INV-20871",
    issued="2025-04-22",
    due="2025-05-22",
    order="PO-55310",
    currency="USD",
    seller=Party("Copper Ridge Supply Co.", "418 Juniper Street", "Austin, TX 78701"),
    buyer=Party("Bluestem Veterinary Clinic", "2290 Prairie Road", "Round Rock, TX 78664"),
    terms="Net 30",
    charge="24.50",
    items=tuple(
        Item((name,), quantity, "", price, "8.25")
        for name, quantity, price in (
            ("Examination gloves, nitrile, medium, box", "40", "11.95"),
            ("Examination gloves, nitrile, large, box", "30", "11.95"),
            ("Syringe 3 ml with needle, box of 100", "12", "18.60"),
            ("Syringe 10 ml, box of 100", "8", "22.40"),
            ("Gauze sponges 4 x 4, sterile, pack", "60", "3.15"),
            ("Elastic bandage 2 inch, pack of 24", "10", "27.80"),
            ("Elastic bandage 4 inch, pack of 18", "6", "29.25"),
            ("Surface disinfectant, 1 gallon", "14", "19.90"),
            ("Microscope slides, frosted, box of 72", "9", "8.45"),
            ("Digital thermometer", "5", "16.75"),
            ("Stethoscope, dual head", "3", "64.00"),
            ("Surgical drape, 24 x 24, pack of 50", "4", "38.90"),
            ("Scalpel blades no. 10, box of 100", "5", "21.30"),
            ("Suture kit, absorbable 3-0, box of 12", "7", "46.50"),
            ("Specimen cups, 4 oz, bag of 25", "16", "9.60"),
            ("Cotton-tipped applicators, bag of 1000", "3", "14.20"),
            ("Isolation gowns, pack of 10", "11", "17.45"),
            ("Sharps container, 5 quart", "12", "7.35"),
            ("Exam table paper, case of 12 rolls", "2", "52.80"),
            ("Cage cards, pack of 200", "4", "12.65"),
        )
    ),
)
_COLUMNS = (Column("Description", 60), Column("Quantity", 370, "right"), Column("Unit Price", 450, "right"), Column("Amount", 535, "right"))
_BREAK = 14


def _date(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{month}/{day}/{year}"


def draw() -> pymupdf.Document:
    """Two pages."""
    document = pymupdf.open()
    first = Sheet(document)
    _head(first)
    _rows(first, 320, INVOICE.items[:_BREAK])
    first.text(535, 790, "Page 1 of 2", 9, align="right")
    first.done()
    second = Sheet(document)
    second.text(60, 64, f"{INVOICE.seller.name}    Invoice {INVOICE.number}", 10)
    y = _rows(second, 104, INVOICE.items[_BREAK:])
    _totals(second, y + 18)
    second.text(535, 790, "Page 2 of 2", 9, align="right")
    second.done()
    return document


def _head(sheet: Sheet) -> None:
    seller, buyer = INVOICE.seller, INVOICE.buyer
    sheet.text(60, 70, seller.name, 17, bold=True)
    sheet.lines(60, 88, (seller.street, seller.town, "(512) 555-0148"), 11)
    sheet.text(535, 72, "INVOICE", 24, bold=True, align="right")
    sheet.text(60, 170, "Bill To:", 11, bold=True)
    sheet.lines(60, 187, (buyer.name, buyer.street, buyer.town), 11)
    facts = (
        ("Invoice Number:", INVOICE.number),
        ("Invoice Date:", _date(INVOICE.issued)),
        ("Due Date:", _date(INVOICE.due)),
        ("PO Number:", INVOICE.order or ""),
        ("Terms:", INVOICE.terms or ""),
    )
    for place, (label, value) in enumerate(facts):
        sheet.text(420, 170 + 17 * place, label, 11, align="right")
        sheet.text(535, 170 + 17 * place, value, 11, align="right")


def _rows(sheet: Sheet, y: float, items: tuple[Item, ...]) -> float:
    sheet.row(y, _COLUMNS, [column.title for column in _COLUMNS], 11, bold=True)
    sheet.rule(60, y + 6, 535, y + 6, 1)
    for item in items:
        y += 26
        sheet.row(y, _COLUMNS, (item.description[0], item.quantity, money(item.unit_price), money(item.amount)), 11)
    sheet.rule(60, y + 10, 535, y + 10, 1)
    return y + 18


def _totals(sheet: Sheet, y: float) -> None:
    goods = sum((item.amount for item in INVOICE.items), Decimal(0))
    totals = (
        ("Merchandise", goods),
        ("Shipping", INVOICE.charge or "0"),
        ("Subtotal", INVOICE.net),
        ("Sales Tax 8.25%", INVOICE.tax),
        ("Total", INVOICE.gross),
    )
    for place, (label, value) in enumerate(totals):
        bold = place == len(totals) - 1
        sheet.text(445, y + 19 * place, label, 11, bold=bold, align="right")
        sheet.text(535, y + 19 * place, f"${money(value)}", 11, bold=bold, align="right")
    sheet.text(60, y + 140, "Thank you for your business. Please make checks payable to the company named above.", 10)
