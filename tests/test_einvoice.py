"""The e-invoice engine: CII of both generations, UBL invoices and credit notes, and XML that means harm."""

from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from docpipe.errors import DamagedError, UnsupportedError
from docpipe.extract import load_engine
from docpipe.extract.einvoice.dialects import DIALECTS
from docpipe.fields import fields_of, load_schema, pattern, schema_ref
from docpipe.pipeline import extract
from docpipe.records import Document, Failure, Job, Page, Reading
from docpipe.workspace import Workspace

INVOICE, _ = load_schema("invoice")
CII_2 = """<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
  xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
  xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
 <rsm:ExchangedDocument><ram:ID>A-17</ram:ID><ram:IssueDateTime><udt:DateTimeString format="102">20250314</udt:DateTimeString>
   </ram:IssueDateTime>
 </rsm:ExchangedDocument>
 <rsm:SupplyChainTradeTransaction>
  <ram:IncludedSupplyChainTradeLineItem>
   <ram:AssociatedDocumentLineDocument><ram:LineStatusReasonCode>GROUP</ram:LineStatusReasonCode></ram:AssociatedDocumentLineDocument>
   <ram:SpecifiedTradeProduct><ram:Name>All of the below</ram:Name></ram:SpecifiedTradeProduct>
   <ram:SpecifiedLineTradeSettlement><ram:SpecifiedTradeSettlementLineMonetarySummation><ram:LineTotalAmount>90</ram:LineTotalAmount>
   </ram:SpecifiedTradeSettlementLineMonetarySummation></ram:SpecifiedLineTradeSettlement>
  </ram:IncludedSupplyChainTradeLineItem>
  <ram:IncludedSupplyChainTradeLineItem>
   <ram:SpecifiedTradeProduct><ram:Name> Screws
     M4 </ram:Name></ram:SpecifiedTradeProduct>
   <ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice><ram:ChargeAmount>45.00</ram:ChargeAmount>
     <ram:BasisQuantity>100</ram:BasisQuantity></ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement>
   <ram:SpecifiedLineTradeDelivery><ram:BilledQuantity unitCode="H87">200.0000</ram:BilledQuantity></ram:SpecifiedLineTradeDelivery>
   <ram:SpecifiedLineTradeSettlement>
    <ram:ApplicableTradeTax><ram:RateApplicablePercent>19.000000</ram:RateApplicablePercent></ram:ApplicableTradeTax>
    <ram:SpecifiedTradeSettlementLineMonetarySummation><ram:LineTotalAmount>90.00</ram:LineTotalAmount>
    </ram:SpecifiedTradeSettlementLineMonetarySummation></ram:SpecifiedLineTradeSettlement>
  </ram:IncludedSupplyChainTradeLineItem>
  <ram:ApplicableHeaderTradeAgreement>
   <ram:SellerTradeParty><ram:Name>Seller Ltd</ram:Name>
    <ram:PostalTradeAddress><ram:PostcodeCode>12345</ram:PostcodeCode><ram:LineOne>Long Lane 1</ram:LineOne>
   <ram:CityName>Town</ram:CityName>
    </ram:PostalTradeAddress>
    <ram:SpecifiedTaxRegistration><ram:ID schemeID="FC">99/1</ram:ID></ram:SpecifiedTaxRegistration>
    <ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">DE1</ram:ID></ram:SpecifiedTaxRegistration></ram:SellerTradeParty>
  </ram:ApplicableHeaderTradeAgreement>
  <ram:ApplicableHeaderTradeSettlement><ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
   <ram:SpecifiedTradePaymentTerms><ram:DueDateDateTime><udt:DateTimeString>20250320</udt:DateTimeString></ram:DueDateDateTime>
     <ram:ApplicableTradePaymentDiscountTerms/></ram:SpecifiedTradePaymentTerms>
   <ram:SpecifiedTradePaymentTerms><ram:DueDateDateTime><udt:DateTimeString>20250413</udt:DateTimeString></ram:DueDateDateTime>
     </ram:SpecifiedTradePaymentTerms>
   <ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:ChargeTotalAmount>0.00</ram:ChargeTotalAmount>
    <ram:TaxBasisTotalAmount>90.00</ram:TaxBasisTotalAmount><ram:TaxTotalAmount currencyID="USD">20.00</ram:TaxTotalAmount>
    <ram:TaxTotalAmount currencyID="EUR">17.10</ram:TaxTotalAmount><ram:GrandTotalAmount>107,10</ram:GrandTotalAmount>
   </ram:SpecifiedTradeSettlementHeaderMonetarySummation>
  </ram:ApplicableHeaderTradeSettlement>
 </rsm:SupplyChainTradeTransaction>
</rsm:CrossIndustryInvoice>"""
CII_1 = """<CrossIndustryDocument xmlns="urn:ferd:CrossIndustryDocument:invoice:1p0">
 <HeaderExchangedDocument><ID>B-2</ID></HeaderExchangedDocument>
 <SpecifiedSupplyChainTradeTransaction>
  <ApplicableSupplyChainTradeSettlement><SpecifiedTradeSettlementMonetarySummation>
   <GrandTotalAmount currencyID="CHF">-8.79</GrandTotalAmount>
  </SpecifiedTradeSettlementMonetarySummation></ApplicableSupplyChainTradeSettlement>
  <IncludedSupplyChainTradeLineItem><AssociatedDocumentLineDocument><IncludedNote><Content>only a remark</Content></IncludedNote>
  </AssociatedDocumentLineDocument></IncludedSupplyChainTradeLineItem>
  <IncludedSupplyChainTradeLineItem>
   <SpecifiedSupplyChainTradeDelivery><BilledQuantity>-2</BilledQuantity></SpecifiedSupplyChainTradeDelivery>
   <SpecifiedSupplyChainTradeSettlement><ApplicableTradeTax><ApplicablePercent>7</ApplicablePercent></ApplicableTradeTax>
   </SpecifiedSupplyChainTradeSettlement><SpecifiedTradeProduct><Name>Sugar</Name></SpecifiedTradeProduct>
  </IncludedSupplyChainTradeLineItem>
 </SpecifiedSupplyChainTradeTransaction></CrossIndustryDocument>"""
UBL = """<ubl:{root} xmlns:ubl="urn:oasis:names:specification:ubl:schema:xsd:{root}-2"
  xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
 <cbc:ID>U-9</cbc:ID><cbc:IssueDate>2025-02-01</cbc:IssueDate><cbc:DocumentCurrencyCode>SEK</cbc:DocumentCurrencyCode>
 <cac:OrderReference><cbc:ID>PO 1</cbc:ID></cac:OrderReference>
 <cac:AccountingSupplierParty><cac:Party><cac:PartyName><cbc:Name>Trade name</cbc:Name></cac:PartyName>
  <cac:PostalAddress><cbc:StreetName>Kungsgatan 2</cbc:StreetName><cbc:CityName>Lund</cbc:CityName>
   <cbc:PostalZone>222 23</cbc:PostalZone></cac:PostalAddress>
  <cac:PartyTaxScheme><cbc:CompanyID>local-1</cbc:CompanyID><cac:TaxScheme><cbc:ID>TAX</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
  <cac:PartyTaxScheme><cbc:CompanyID>SE556</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
  <cac:PartyLegalEntity><cbc:RegistrationName>Legal name AB</cbc:RegistrationName></cac:PartyLegalEntity></cac:Party>
   </cac:AccountingSupplierParty>
 <cac:PaymentMeans><cbc:PaymentDueDate>2025-03-03</cbc:PaymentDueDate><cac:PayeeFinancialAccount><cbc:ID>123-4567</cbc:ID>
   </cac:PayeeFinancialAccount>
 </cac:PaymentMeans>
 <cac:TaxTotal><cbc:TaxAmount currencyID="SEK">25.00</cbc:TaxAmount><cac:TaxSubtotal><cbc:TaxableAmount>100.00</cbc:TaxableAmount>
  <cbc:TaxAmount>25.00</cbc:TaxAmount><cac:TaxCategory><cbc:Percent>25</cbc:Percent></cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>
 <cac:LegalMonetaryTotal><cbc:TaxExclusiveAmount>100.00</cbc:TaxExclusiveAmount><cbc:TaxInclusiveAmount>125.00</cbc:TaxInclusiveAmount>
  <cbc:PrepaidAmount>25.00</cbc:PrepaidAmount><cbc:PayableAmount>100.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
 <cac:{line}><cbc:{quantity}>4</cbc:{quantity}><cbc:LineExtensionAmount>100.00</cbc:LineExtensionAmount>
  <cac:Item><cbc:Name>Hours</cbc:Name><cac:ClassifiedTaxCategory><cbc:Percent>25</cbc:Percent></cac:ClassifiedTaxCategory></cac:Item>
  <cac:Price><cbc:PriceAmount>25</cbc:PriceAmount></cac:Price></cac:{line}>
</ubl:{root}>"""
UBL_INVOICE = UBL.format(root="Invoice", line="InvoiceLine", quantity="InvoicedQuantity")
UBL_CREDIT_NOTE = UBL.format(root="CreditNote", line="CreditNoteLine", quantity="CreditedQuantity")
BOMB = "<!DOCTYPE a [<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 12)) + "]>"


def read(
    xml: str | bytes | None, tmp_path: Path, *, schema: type[BaseModel] = INVOICE, media_type: str = "application/pdf"
) -> Reading | Failure:
    """What the pipeline gets from the engine for a document with this XML; a PDF has a page, a lone XML file none."""
    space = Workspace(tmp_path)
    if xml is not None:
        space.write(space.path("einvoice.xml"), xml.encode() if isinstance(xml, str) else xml)
    document = Document(name="x", sha256="0", media_type=media_type)
    job = Job(id="j", source=Path("x"), document=document, schema_ref=schema_ref(schema))
    pages = [Page(number=1, width=100, height=100)] if media_type.endswith("pdf") else []
    (outcome,) = extract(job, pages, schema, engine=load_engine("einvoice"), space=space)
    return outcome


def values(reading: Reading | Failure) -> dict[str, object]:
    assert isinstance(reading, Reading)
    return {candidate.path: candidate.value for candidate in reading.candidates}


def test_cross_industry_invoice(tmp_path: Path) -> None:
    reading = read(CII_2, tmp_path)
    assert values(reading) == {
        "invoice_number": "A-17",
        "issue_date": "2025-03-14",
        "due_date": "2025-04-13",
        "currency": "EUR",
        "seller.name": "Seller Ltd",
        "seller.address": "Long Lane 1, 12345 Town",
        "seller.tax_id": "DE1",
        "net_total": "90.00",
        "tax_total": "17.10",
        "line_items[0].description": "Screws M4",
        "line_items[0].quantity": "200.00",
        "line_items[0].unit_price": "0.45",
        "line_items[0].amount": "90.00",
        "line_items[0].tax_rate": "19.00",
    }


def test_candidates_say_that_they_come_from_the_xml(tmp_path: Path) -> None:
    reading = read(CII_2, tmp_path)
    assert isinstance(reading, Reading) and reading.pages == (1,)
    price = next(candidate for candidate in reading.candidates if candidate.path == "line_items[0].unit_price")
    assert (price.raw, price.page, price.box, price.engine, price.grounded) == ("45.00", None, None, "einvoice", True)
    assert (price.evidence.relation, price.score, price.evidence.fit) == ("xml", 1, 1)


def test_a_value_of_the_wrong_form_is_named_and_not_guessed(tmp_path: Path) -> None:
    reading = read(CII_2, tmp_path)
    assert isinstance(reading, Reading)
    assert [(issue.code, issue.path, issue.severity) for issue in reading.issues] == [("einvoice_value", "gross_total", "warning")]
    assert "107,10" in reading.issues[0].message


def test_first_generation_with_a_remark_between_its_rows(tmp_path: Path) -> None:
    assert values(read(CII_1, tmp_path)) == {
        "invoice_number": "B-2",
        "currency": "CHF",
        "gross_total": "-8.79",
        "line_items[0].description": "Sugar",
        "line_items[0].quantity": "-2",
        "line_items[0].tax_rate": "7",
    }


@pytest.mark.parametrize("xml", [UBL_INVOICE, UBL_CREDIT_NOTE], ids=["invoice", "credit note"])
def test_ubl(xml: str, tmp_path: Path) -> None:
    reading = read(xml, tmp_path)
    assert values(reading) == {
        "invoice_number": "U-9",
        "issue_date": "2025-02-01",
        "due_date": "2025-03-03",
        "order_number": "PO 1",
        "currency": "SEK",
        "seller.name": "Legal name AB",
        "seller.address": "Kungsgatan 2, 222 23 Lund",
        "seller.tax_id": "SE556",
        "net_total": "100.00",
        "tax_total": "25.00",
        "gross_total": "125.00",
        "prepaid_amount": "25.00",
        "amount_due": "100.00",
        "line_items[0].description": "Hours",
        "line_items[0].quantity": "4",
        "line_items[0].unit_price": "25",
        "line_items[0].amount": "100.00",
        "line_items[0].tax_rate": "25",
        "taxes[0].rate": "25",
        "taxes[0].base": "100.00",
        "taxes[0].amount": "25.00",
    }
    assert isinstance(reading, Reading) and [issue.path for issue in reading.issues] == ["iban"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "iso-8859-1"])
def test_any_encoding(encoding: str, tmp_path: Path) -> None:
    xml = CII_2.replace("Seller Ltd", "Société Générale").replace('encoding="UTF-8"', f'encoding="{encoding.removesuffix("-sig")}"')
    assert values(read(xml.encode(encoding), tmp_path))["seller.name"] == "Société Générale"


def test_without_xml_there_is_nothing_to_read_and_no_call(tmp_path: Path) -> None:
    reading = read(None, tmp_path)
    assert isinstance(reading, Reading)
    assert (reading.candidates, reading.issues, reading.usage.calls) == ((), (), 0)


def test_a_schema_gets_only_the_fields_it_has(tmp_path: Path) -> None:
    class Booking(BaseModel):
        """What bookkeeping needs."""

        gross_total: str | None = Field(None, description="Total")
        net_total: str | None = Field(None, description="Net")
        rounding: str | None = Field(None, description="Rounding")
        other: str | None = Field(None, description="Something else")

    assert values(read(CII_2, tmp_path, schema=Booking)) == {"gross_total": "107,10", "net_total": "90.00"}


def test_every_place_belongs_to_a_field_of_the_built_in_invoice() -> None:
    known = {spec.path for spec in fields_of(INVOICE)} | {"line_items[*].price_basis", "type_code"}
    for name, dialect in DIALECTS.items():
        rows = {f"{path}[*].{field}" for path, lines in dialect.lines.items() for field in lines.fields}
        assert {pattern(path) for path in (*dialect.fields, *dialect.addresses)} | rows <= known, name


BROKEN = {
    "cut short": CII_2[:900],
    "no XML": "%PDF-1.7",
    "empty": "",
    "entity bomb": BOMB + CII_1.replace("B-2", "&a11;"),
    "external entity": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + CII_1.replace("B-2", "&x;"),
    "any DTD": "<!DOCTYPE CrossIndustryDocument []>" + CII_1,
    "depth": "<a>" * 100_000,
    "another kind": "<Order xmlns='urn:x'><ID>1</ID></Order>",
}


@pytest.mark.parametrize("xml", BROKEN.values(), ids=BROKEN)
def test_bad_xml_beside_a_page_is_a_warning(xml: str, tmp_path: Path) -> None:
    reading = read(xml, tmp_path)
    assert values(reading) == {} and isinstance(reading, Reading)
    assert [(issue.code, issue.severity) for issue in reading.issues] == [("einvoice_unreadable", "warning")]


@pytest.mark.parametrize("name", BROKEN)
def test_bad_xml_alone_is_a_failed_document(name: str, tmp_path: Path) -> None:
    outcome = read(BROKEN[name], tmp_path, media_type="application/xml")
    assert isinstance(outcome, Failure) and not outcome.retryable
    assert outcome.code == (UnsupportedError if name == "another kind" else DamagedError).code


def test_numbers_that_are_no_amounts_are_refused(tmp_path: Path) -> None:
    for number in ("NaN", "1E400", "Infinity", "9" * 40, "0x10", ""):
        reading = read(UBL_INVOICE.replace(">125.00<", f">{number}<"), tmp_path)
        assert "gross_total" not in values(reading), number


def test_a_price_for_no_units_is_left_as_it_is(tmp_path: Path) -> None:
    for basis in ("0", "NaN", "many"):
        assert values(read(CII_2.replace(">100<", f">{basis}<"), tmp_path))["line_items[0].unit_price"] == "45.00"


def test_an_impossible_date_is_refused(tmp_path: Path) -> None:
    assert "issue_date" not in values(read(CII_2.replace("20250314", "20250231"), tmp_path))
