"""An Austrian invoice with its own Factur-X XML: a printed page, and the same facts as data inside the PDF."""

from __future__ import annotations

from decimal import Decimal

import pymupdf
from invoices import Invoice, Item, Party
from lxml import etree
from paper import Column, Sheet, money, pdf_bytes

INVOICE = Invoice(
    number="AR-2025-1163",
    issued="2025-09-18",
    due="2025-10-02",
    delivered="2025-09-16",
    order="4500078123",
    currency="EUR",
    seller=Party("Alpenquell Getränke GmbH", "Mühlbachgasse 9", "5020 Salzburg", "ATU59370415"),
    buyer=Party("Gasthof Zur Traube OG", "Hauptplatz 3", "4820 Bad Ischl", "ATU67482155"),
    iban="AT92 2040 4000 7165 2398",
    terms="Zahlbar binnen 14 Tagen netto",
    items=(
        Item(("Mineralwasser still 0,75 l, Kiste",), "24", "Kiste", "8.40", "20"),
        Item(("Apfelsaft naturtrüb 1 l, Karton",), "15", "Karton", "13.90", "20"),
        Item(("Holundersirup 0,5 l, Karton",), "6", "Karton", "31.20", "20"),
        Item(("Kräutertee lose, 1 kg",), "4", "kg", "27.50", "10"),
        Item(("Bergblütenhonig 5 kg, Eimer",), "2", "Eimer", "58.00", "10"),
    ),
)
_UNITS = {"Kiste": "CS", "Karton": "CT", "kg": "KGM", "Eimer": "BJ"}
_COLUMNS = (
    Column("Artikel", 60),
    Column("Menge", 310, "right"),
    Column("Einheit", 320),
    Column("Preis", 408, "right"),
    Column("USt. %", 456, "right"),
    Column("Nettobetrag", 540, "right"),
)
_RATES = (Column("Steuersatz", 60), Column("Bemessungsgrundlage", 230, "right"), Column("Steuerbetrag", 320, "right"))
_NAMESPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}


def _euro(value: Decimal | str) -> str:
    return money(value, ",", ".")


def _date(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{day}.{month}.{year}"


def pdf() -> bytes:
    """The PDF with `factur-x.xml` attached."""
    document = draw()
    file = document.embfile_add("factur-x.xml", xml(), filename="factur-x.xml", desc="Factur-X invoice")
    for stamp in ("CreationDate", "ModDate"):
        document.xref_set_key(file, f"Params/{stamp}", f"(D:{INVOICE.issued.replace('-', '')}120000Z)")
    return pdf_bytes(document)


def draw() -> pymupdf.Document:
    """The printed page."""
    document = pymupdf.open()
    sheet = Sheet(document)
    seller, buyer = INVOICE.seller, INVOICE.buyer
    sheet.text(540, 66, seller.name, 14, bold=True, align="right")
    for place, line in enumerate((seller.street, seller.town, f"UID-Nr.: {seller.tax_id}")):
        sheet.text(540, 84 + 13 * place, line, 9.5, align="right")
    sheet.text(60, 150, "Rechnungsempfänger", 8.5)
    sheet.lines(60, 166, (buyer.name, buyer.street, buyer.town, f"UID-Nr.: {buyer.tax_id}"), 10.5)
    sheet.text(60, 252, f"Rechnung Nr. {INVOICE.number}", 15, bold=True)
    facts = (
        ("Rechnungsdatum", _date(INVOICE.issued)),
        ("Lieferdatum", _date(INVOICE.delivered or "")),
        ("Bestellnummer", INVOICE.order or ""),
        ("Fällig am", _date(INVOICE.due)),
    )
    for place, (label, value) in enumerate(facts):
        sheet.text(60 + 122 * place, 274, label, 8.5)
        sheet.text(60 + 122 * place, 288, value, 10)
    _table(sheet)
    sheet.done()
    return document


def _table(sheet: Sheet) -> None:
    sheet.row(326, _COLUMNS, [column.title for column in _COLUMNS], bold=True)
    sheet.rule(60, 331, 540, 331)
    y = 348.0
    for item in INVOICE.items:
        cells = (item.description[0], item.quantity, item.unit, _euro(item.unit_price), item.tax_rate, _euro(item.amount))
        sheet.row(y, _COLUMNS, cells, 9.5)
        y += 20
    sheet.rule(60, y - 8, 540, y - 8)
    totals = (("Summe netto", INVOICE.net), ("Umsatzsteuer", INVOICE.tax), ("Rechnungsbetrag", INVOICE.gross))
    for place, (label, value) in enumerate(totals):
        sheet.text(440, y + 12 + 17 * place, label, 10, bold=place == 2, align="right")
        sheet.text(540, y + 12 + 17 * place, f"EUR {_euro(value)}", 10, bold=place == 2, align="right")
    sheet.row(y + 84, _RATES, [column.title for column in _RATES], bold=True)
    for place, (rate, base, tax) in enumerate(INVOICE.taxes(), 1):
        sheet.row(y + 84 + 15 * place, _RATES, (f"{rate} %", _euro(base), _euro(tax)))
    sheet.text(60, y + 150, f"Zahlungsbedingungen: {INVOICE.terms}", 10)
    sheet.text(60, y + 166, f"IBAN: {INVOICE.iban}", 10)


def xml() -> bytes:
    """The same invoice in the EN 16931 profile of Factur-X."""
    root = etree.Element(_name("rsm:CrossIndustryInvoice"), nsmap=_NAMESPACES)
    _put(root, "rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID", "urn:cen.eu:en16931:2017")
    document = _put(root, "rsm:ExchangedDocument")
    _put(document, "ram:ID", INVOICE.number)
    _put(document, "ram:TypeCode", "380")
    _day(document, "ram:IssueDateTime", INVOICE.issued)
    trade = _put(root, "rsm:SupplyChainTradeTransaction")
    for place, item in enumerate(INVOICE.items, 1):
        _xml_line(trade, place, item)
    agreement = _put(trade, "ram:ApplicableHeaderTradeAgreement")
    _xml_party(agreement, "ram:SellerTradeParty", INVOICE.seller)
    _xml_party(agreement, "ram:BuyerTradeParty", INVOICE.buyer)
    _put(agreement, "ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID", INVOICE.order)
    delivery = _put(trade, "ram:ApplicableHeaderTradeDelivery/ram:ActualDeliverySupplyChainEvent")
    _day(delivery, "ram:OccurrenceDateTime", INVOICE.delivered or "")
    _xml_settlement(_put(trade, "ram:ApplicableHeaderTradeSettlement"))
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _xml_line(trade: etree._Element, place: int, item: Item) -> None:
    line = _put(trade, "ram:IncludedSupplyChainTradeLineItem")
    _put(line, "ram:AssociatedDocumentLineDocument/ram:LineID", str(place))
    _put(line, "ram:SpecifiedTradeProduct/ram:Name", item.description[0])
    _put(line, "ram:SpecifiedLineTradeAgreement/ram:NetPriceProductTradePrice/ram:ChargeAmount", item.unit_price)
    _put(line, "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity", item.quantity, unitCode=_UNITS[item.unit])
    settlement = _put(line, "ram:SpecifiedLineTradeSettlement")
    _xml_rate(_put(settlement, "ram:ApplicableTradeTax"), item.tax_rate)
    _put(settlement, "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount", str(item.amount))


def _xml_rate(tax: etree._Element, rate: str) -> None:
    _put(tax, "ram:TypeCode", "VAT")
    _put(tax, "ram:CategoryCode", "S")
    _put(tax, "ram:RateApplicablePercent", rate)


def _xml_party(agreement: etree._Element, name: str, party: Party) -> None:
    element = _put(agreement, name)
    postcode, _, city = party.town.partition(" ")
    _put(element, "ram:Name", party.name)
    address = _put(element, "ram:PostalTradeAddress")
    for part, text in (("PostcodeCode", postcode), ("LineOne", party.street), ("CityName", city), ("CountryID", "AT")):
        _put(address, f"ram:{part}", text)
    _put(element, "ram:SpecifiedTaxRegistration/ram:ID", party.tax_id, schemeID="VA")


def _xml_settlement(settlement: etree._Element) -> None:
    _put(settlement, "ram:InvoiceCurrencyCode", INVOICE.currency)
    means = _put(settlement, "ram:SpecifiedTradeSettlementPaymentMeans")
    _put(means, "ram:TypeCode", "58")
    _put(means, "ram:PayeePartyCreditorFinancialAccount/ram:IBANID", (INVOICE.iban or "").replace(" ", ""))
    for rate, base, tax in INVOICE.taxes():
        element = _put(settlement, "ram:ApplicableTradeTax")
        _put(element, "ram:CalculatedAmount", str(tax))
        _put(element, "ram:TypeCode", "VAT")
        _put(element, "ram:BasisAmount", str(base))
        _put(element, "ram:CategoryCode", "S")
        _put(element, "ram:RateApplicablePercent", rate)
    terms = _put(settlement, "ram:SpecifiedTradePaymentTerms")
    _put(terms, "ram:Description", INVOICE.terms)
    _day(terms, "ram:DueDateDateTime", INVOICE.due)
    sums = _put(settlement, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
    _put(sums, "ram:LineTotalAmount", str(INVOICE.net))
    _put(sums, "ram:TaxBasisTotalAmount", str(INVOICE.net))
    _put(sums, "ram:TaxTotalAmount", str(INVOICE.tax), currencyID=INVOICE.currency)
    _put(sums, "ram:GrandTotalAmount", str(INVOICE.gross))
    _put(sums, "ram:DuePayableAmount", str(INVOICE.gross))


def _day(parent: etree._Element, name: str, iso: str) -> None:
    _put(parent, f"{name}/udt:DateTimeString", iso.replace("-", ""), format="102")


def _put(parent: etree._Element, path: str, text: str | None = None, **attributes: str) -> etree._Element:
    """A new element for every step of the path, the last with the text."""
    for step in path.split("/"):
        parent = etree.SubElement(parent, _name(step))
    parent.text = text
    for key, value in attributes.items():
        parent.set(key, value)
    return parent


def _name(prefixed: str) -> str:
    prefix, _, local = prefixed.partition(":")
    return f"{{{_NAMESPACES[prefix]}}}{local}"
