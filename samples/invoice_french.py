"""A French invoice of one page, in columns, with a summary of its two tax rates."""

from __future__ import annotations

from decimal import Decimal

import pymupdf
from invoices import Invoice, Item, Party
from paper import A4, Column, Sheet, money

INVOICE = Invoice(
    number="F25-0392",
    issued="2025-06-18",
    due="2025-07-18",
    order="BC-1187",
    currency="EUR",
    seller=Party("Librairie Papeterie du Canal SARL", "23 quai des Tanneurs", "59000 Lille", "FR81813502648"),
    buyer=Party("École Jacques Vernier", "4 rue de la Fontaine", "62000 Arras"),
    iban="FR76 3000 4008 2100 0127 4839 242",
    terms="Virement à 30 jours date de facture",
    items=(
        Item(("Cahiers 96 pages, grands carreaux",), "120", "", "1.85", "20"),
        Item(("Stylos à bille bleus, boîte de 50",), "6", "", "14.30", "20"),
        Item(("Dictionnaire de poche français",), "24", "", "7.90", "5.5"),
        Item(("Atlas de géographie, édition scolaire",), "12", "", "16.40", "5.5"),
        Item(("Colle en bâton 21 g",), "48", "", "1.12", "20"),
        Item(("Papier à dessin A3, paquet de 250",), "9", "", "19.75", "20"),
    ),
)
_COLUMNS = (
    Column("Désignation", 50),
    Column("Qté", 312, "right"),
    Column("Prix unitaire HT", 404, "right"),
    Column("TVA", 456, "right"),
    Column("Montant HT", 545, "right"),
)
_RATES = (Column("Taux de TVA", 60), Column("Base HT", 190, "right"), Column("Montant TVA", 270, "right"))


def _euro(value: Decimal | str) -> str:
    return money(value, ",", " ")


def _date(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{day}/{month}/{year}"


def draw() -> pymupdf.Document:
    """The invoice, upright."""
    document = pymupdf.open()
    sheet = Sheet(document)
    _head(sheet)
    y = _rows(sheet)
    _totals(sheet, y + 24)
    seller = INVOICE.seller
    sheet.text(297, 800, f"{seller.name} au capital de 12 000 € · RCS Lille 813 502 648 · N° TVA : {seller.tax_id}", 8, align="center")
    sheet.done()
    return document


def draw_turned() -> pymupdf.Document:
    """The same page as a sideways sheet that its /Rotate entry turns upright."""
    upright, turned = draw(), pymupdf.open()
    page = turned.new_page(width=A4[1], height=A4[0])
    page.show_pdf_page(page.rect, upright, 0, rotate=90)
    page.set_rotation(90)
    return turned


def _head(sheet: Sheet) -> None:
    seller, buyer = INVOICE.seller, INVOICE.buyer
    sheet.text(50, 62, seller.name, 13, bold=True)
    sheet.lines(50, 78, (seller.street, seller.town, "Tél. 03 20 55 01 42"), 9.5)
    sheet.text(330, 128, "Facturé à :", 9)
    sheet.lines(330, 144, (buyer.name, buyer.street, buyer.town), 10.5)
    sheet.text(50, 214, "FACTURE", 20, bold=True)
    facts = (
        ("Numéro de facture", INVOICE.number),
        ("Date de facture", _date(INVOICE.issued)),
        ("Date d'échéance", _date(INVOICE.due)),
        ("Votre commande", INVOICE.order or ""),
    )
    for place, (label, value) in enumerate(facts):
        sheet.text(50, 240 + 15 * place, f"{label} : {value}", 10)


def _rows(sheet: Sheet) -> float:
    sheet.box(44, 312, 551, 332)
    sheet.row(325, _COLUMNS, [column.title for column in _COLUMNS], bold=True)
    y = 350.0
    for item in INVOICE.items:
        rate = f"{item.tax_rate.replace('.', ',')} %"
        sheet.row(y, _COLUMNS, (item.description[0], item.quantity, _euro(item.unit_price), rate, _euro(item.amount)), 9.5)
        y += 21
    sheet.rule(44, y - 8, 551, y - 8)
    return y


def _totals(sheet: Sheet, y: float) -> None:
    sheet.row(y, _RATES, [column.title for column in _RATES], bold=True)
    for place, (rate, base, tax) in enumerate(INVOICE.taxes(), 1):
        sheet.row(y + 16 * place, _RATES, (f"{rate.replace('.', ',')} %", _euro(base), _euro(tax)))
    for place, (label, value) in enumerate((("Total HT", INVOICE.net), ("Total TVA", INVOICE.tax), ("Total TTC", INVOICE.gross))):
        sheet.text(440, y + 17 * place, label, 10.5, bold=place == 2, align="right")
        sheet.text(545, y + 17 * place, f"{_euro(value)} €", 10.5, bold=place == 2, align="right")
    sheet.text(50, y + 82, f"Conditions de règlement : {INVOICE.terms}", 10)
    sheet.text(50, y + 99, f"IBAN : {INVOICE.iban}", 10)
