"""A shop's till receipt, as it is photographed on a table."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pymupdf
from invoices import Item
from paper import Column, Sheet, money

SHOP = "Tidewater Hardware Ltd"
ADDRESS = ("12 Quay Street", "Bristol BS1 4DJ")
TAX_ID = "GB 804721550"
ITEMS = (
    Item(("Masonry bit set",), "1", "", "14.99", "20"),
    Item(("Wall plugs brown 100",), "2", "", "3.49", "20"),
    Item(("Wood screws 4x40",), "3", "", "5.25", "20"),
    Item(("Picture hooks",), "4", "", "1.80", "20"),
    Item(("Masking tape 25mm",), "2", "", "2.65", "20"),
)
_COLUMNS = (Column("Qty", 16), Column("Item", 42), Column("Price", 166, "right"), Column("Amount", 214, "right"))
_SIZE = (230.0, 400.0)


def totals() -> tuple[Decimal, Decimal, Decimal]:
    """Net, tax and total; the prices include the tax."""
    total = sum((item.amount for item in ITEMS), Decimal(0))
    net = (total / Decimal("1.2")).quantize(Decimal("0.01"))
    return net, total - net, total


def expected() -> dict[str, Any]:
    """The `data` of a right reading."""
    net, tax, total = totals()
    items = [{key: value for key, value in item.expected().items() if key != "tax_rate"} for item in ITEMS]
    return {
        "merchant": {"name": SHOP, "address": ", ".join(ADDRESS), "tax_id": TAX_ID.replace(" ", "")},
        "date": "2025-03-14",
        "time": "16:42:00",
        "line_items": items,
        "discount": None,
        "net_total": str(net),
        "tax_total": str(tax),
        "rounding": None,
        "total": str(total),
        "cash": None,
        "change": None,
        "currency": "GBP",
        "payment_method": "Visa debit",
    }


def draw() -> pymupdf.Document:
    """The slip of paper."""
    document = pymupdf.open()
    sheet = Sheet(document, _SIZE)
    sheet.text(115, 36, SHOP, 13, bold=True, align="center")
    for place, line in enumerate((*ADDRESS, "Tel 0117 496 0733", f"VAT Reg No: {TAX_ID}")):
        sheet.text(115, 54 + 13 * place, line, 9.5, align="center")
    sheet.text(16, 120, "Date: 14/03/2025", 9.5)
    sheet.text(214, 120, "Time: 16:42", 9.5, align="right")
    sheet.rule(16, 128, 214, 128)
    sheet.row(142, _COLUMNS, [column.title for column in _COLUMNS], 9.5, bold=True)
    y = 159.0
    for item in ITEMS:
        sheet.row(y, _COLUMNS, (item.quantity, item.description[0], money(item.unit_price), money(item.amount)), 9.5)
        y += 16
    sheet.rule(16, y - 7, 214, y - 7)
    _totals(sheet, y + 10)
    sheet.done()
    return document


def _totals(sheet: Sheet, y: float) -> None:
    net, tax, total = totals()
    for label, value in (("Net amount", net), ("VAT 20%", tax)):
        sheet.text(16, y, label, 9.5)
        sheet.text(214, y, f"£{money(value)}", 9.5, align="right")
        y += 15
    sheet.text(16, y + 4, "TOTAL", 13, bold=True)
    sheet.text(214, y + 4, f"£{money(total)}", 13, bold=True, align="right")
    sheet.text(16, y + 26, "Payment method: Visa debit", 9.5)
    sheet.text(115, y + 58, "Goods may be returned within 28 days", 8.5, align="center")
    sheet.text(115, y + 72, "Thank you", 9.5, align="center")
