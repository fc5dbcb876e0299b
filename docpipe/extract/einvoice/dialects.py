"""Where each e-invoice language keeps the built-in invoice's fields: tables of XPaths over namespace-free names. Knows no value's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Places = tuple[str, ...]


@dataclass(frozen=True)
class Lines:
    """A repeated part: `items` finds its elements; `fields` and `addresses` are looked up inside each; an element with none of `needs`
    is a remark, not a row."""

    items: str
    fields: Mapping[str, Places]
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Dialect:
    """One language of e-invoices. `fields`: schema path -> XPaths from the root, of which the first that finds a text counts;
    `addresses`: schema path -> the element that holds the address; `street` and `town` are the parts in it, in printed order."""

    fields: Mapping[str, Places]
    addresses: Mapping[str, str]
    street: tuple[str, ...]
    town: tuple[str, ...]
    lines: Mapping[str, Lines] = field(default_factory=dict)


@dataclass(frozen=True)
class _CiiNames:
    """What the two generations of the Cross Industry Invoice call the same things."""

    document: str
    transaction: str
    agreement: str
    delivery: str
    settlement: str
    summation: str
    line: str
    line_summation: str
    percent: str
    reference: str


_CII_1 = _CiiNames(
    document="HeaderExchangedDocument",
    transaction="SpecifiedSupplyChainTradeTransaction",
    agreement="ApplicableSupplyChainTradeAgreement",
    delivery="ApplicableSupplyChainTradeDelivery",
    settlement="ApplicableSupplyChainTradeSettlement",
    summation="SpecifiedTradeSettlementMonetarySummation",
    line="SpecifiedSupplyChainTrade",
    line_summation="SpecifiedTradeSettlementMonetarySummation",
    percent="ApplicablePercent",
    reference="ID",
)
_CII_2 = _CiiNames(
    document="ExchangedDocument",
    transaction="SupplyChainTradeTransaction",
    agreement="ApplicableHeaderTradeAgreement",
    delivery="ApplicableHeaderTradeDelivery",
    settlement="ApplicableHeaderTradeSettlement",
    summation="SpecifiedTradeSettlementHeaderMonetarySummation",
    line="SpecifiedLineTrade",
    line_summation="SpecifiedTradeSettlementLineMonetarySummation",
    percent="RateApplicablePercent",
    reference="IssuerAssignedID",
)


def _cii(names: _CiiNames) -> Dialect:
    agreement, delivery, settlement = (f"{names.transaction}/{part}" for part in (names.agreement, names.delivery, names.settlement))
    summation = f"{settlement}/{names.summation}"
    terms = f"{settlement}/SpecifiedTradePaymentTerms"
    return Dialect(
        fields={
            "type_code": (f"{names.document}/TypeCode",),
            "invoice_number": (f"{names.document}/ID",),
            "issue_date": (f"{names.document}/IssueDateTime/*",),
            # with terms for early payment beside the net term, the net term's date is the due date
            "due_date": (f"{terms}[not(ApplicableTradePaymentDiscountTerms)]/DueDateDateTime/*", f"{terms}/DueDateDateTime/*"),
            "delivery_date": (f"{delivery}/ActualDeliverySupplyChainEvent/OccurrenceDateTime/*",),
            "order_number": (
                f"{agreement}/BuyerOrderReferencedDocument/{names.reference}",
                f"{agreement}/SellerOrderReferencedDocument/{names.reference}",
            ),
            "currency": (f"{settlement}/InvoiceCurrencyCode", f"{summation}/GrandTotalAmount/@currencyID"),
            **_cii_party("seller", f"{agreement}/SellerTradeParty"),
            **_cii_party("buyer", f"{agreement}/BuyerTradeParty"),
            "charge_total": (f"{summation}/ChargeTotalAmount",),
            "allowance_total": (f"{summation}/AllowanceTotalAmount",),
            "net_total": (f"{summation}/TaxBasisTotalAmount",),
            # a second tax total, in the currency of the books, is no amount of this invoice
            "tax_total": (
                f"{summation}/TaxTotalAmount[not(@currencyID) or @currencyID=//InvoiceCurrencyCode]",
                f"{summation}/TaxTotalAmount",
            ),
            "gross_total": (f"{summation}/GrandTotalAmount",),
            "prepaid_amount": (f"{summation}/TotalPrepaidAmount",),
            "rounding": (f"{summation}/RoundingAmount",),
            "amount_due": (f"{summation}/DuePayableAmount",),
            "iban": (f"{settlement}/SpecifiedTradeSettlementPaymentMeans/PayeePartyCreditorFinancialAccount/IBANID",),
            "payment_terms": (f"{terms}/Description",),
        },
        addresses={f"{who}.address": f"{agreement}/{who.title()}TradeParty/PostalTradeAddress" for who in ("seller", "buyer")},
        street=("LineOne", "LineTwo", "LineThree"),
        town=("PostcodeCode", "CityName"),
        lines={"line_items": _cii_lines(names), "taxes": _cii_taxes(names, settlement)},
    )


def _cii_party(who: str, party: str) -> dict[str, Places]:
    registration = f"{party}/SpecifiedTaxRegistration/ID"
    return {
        f"{who}.name": (f"{party}/Name", f"{party}/SpecifiedLegalOrganization/TradingBusinessName"),
        f"{who}.tax_id": (f"{registration}[@schemeID='VA']", registration),
    }


def _cii_lines(names: _CiiNames) -> Lines:
    status = "AssociatedDocumentLineDocument/LineStatusReasonCode"
    price = f"{names.line}Agreement/NetPriceProductTradePrice"
    return Lines(
        # lines that only group or explain others count in no total
        items=f"{names.transaction}/IncludedSupplyChainTradeLineItem[not({status}='GROUP' or {status}='INFORMATION')]",
        fields={
            "description": ("SpecifiedTradeProduct/Name", "SpecifiedTradeProduct/Description"),
            "quantity": (f"{names.line}Delivery/BilledQuantity",),
            "unit_price": (f"{price}/ChargeAmount",),
            "price_basis": (f"{price}/BasisQuantity",),
            "amount": (f"{names.line}Settlement/{names.line_summation}/LineTotalAmount",),
            "tax_rate": (f"{names.line}Settlement/ApplicableTradeTax/{names.percent}",),
        },
        needs=("quantity", "amount"),
    )


def _cii_taxes(names: _CiiNames, settlement: str) -> Lines:
    return Lines(
        items=f"{settlement}/ApplicableTradeTax",
        fields={"rate": (names.percent,), "base": ("BasisAmount",), "amount": ("CalculatedAmount",)},
        needs=("base", "amount"),
    )


def _ubl(line: str, quantity: str) -> Dialect:
    vat_total = "TaxTotal/TaxAmount[@currencyID=/*/DocumentCurrencyCode]"
    return Dialect(
        fields={
            "type_code": ("InvoiceTypeCode", "CreditNoteTypeCode"),
            "invoice_number": ("ID",),
            "issue_date": ("IssueDate",),
            "due_date": ("DueDate", "PaymentMeans/PaymentDueDate", "PaymentTerms/PaymentDueDate"),
            "delivery_date": ("Delivery/ActualDeliveryDate",),
            "order_number": ("OrderReference/ID", "OrderReference/SalesOrderID"),
            "currency": ("DocumentCurrencyCode", "LegalMonetaryTotal/PayableAmount/@currencyID"),
            **_ubl_party("seller", "AccountingSupplierParty/Party"),
            **_ubl_party("buyer", "AccountingCustomerParty/Party"),
            "charge_total": ("LegalMonetaryTotal/ChargeTotalAmount",),
            "allowance_total": ("LegalMonetaryTotal/AllowanceTotalAmount",),
            "net_total": ("LegalMonetaryTotal/TaxExclusiveAmount",),
            "tax_total": (vat_total, "TaxTotal/TaxAmount"),
            "gross_total": ("LegalMonetaryTotal/TaxInclusiveAmount",),
            "prepaid_amount": ("LegalMonetaryTotal/PrepaidAmount",),
            "rounding": ("LegalMonetaryTotal/PayableRoundingAmount",),
            "amount_due": ("LegalMonetaryTotal/PayableAmount",),
            "iban": ("PaymentMeans/PayeeFinancialAccount/ID",),
            "payment_terms": ("PaymentTerms/Note",),
        },
        addresses={
            "seller.address": "AccountingSupplierParty/Party/PostalAddress",
            "buyer.address": "AccountingCustomerParty/Party/PostalAddress",
        },
        street=("StreetName", "AdditionalStreetName", "AddressLine/Line"),
        town=("PostalZone", "CityName"),
        lines={
            "line_items": Lines(
                items=line,
                fields={
                    "description": ("Item/Name", "Item/Description"),
                    "quantity": (quantity,),
                    "unit_price": ("Price/PriceAmount",),
                    "price_basis": ("Price/BaseQuantity",),
                    "amount": ("LineExtensionAmount",),
                    "tax_rate": ("Item/ClassifiedTaxCategory/Percent", "TaxTotal/TaxSubtotal/TaxCategory/Percent"),
                },
                needs=("quantity", "amount"),
            ),
            "taxes": Lines(
                items="TaxTotal/TaxSubtotal",
                fields={"rate": ("TaxCategory/Percent", "Percent"), "base": ("TaxableAmount",), "amount": ("TaxAmount",)},
                needs=("base", "amount"),
            ),
        },
    )


def _ubl_party(who: str, party: str) -> dict[str, Places]:
    return {
        f"{who}.name": (f"{party}/PartyLegalEntity/RegistrationName", f"{party}/PartyName/Name"),
        f"{who}.tax_id": (f"{party}/PartyTaxScheme[TaxScheme/ID='VAT']/CompanyID", f"{party}/PartyTaxScheme/CompanyID"),
    }


DIALECTS: Mapping[str, Dialect] = {
    "CrossIndustryDocument": _cii(_CII_1),  # ZUGFeRD 1.0
    "CrossIndustryInvoice": _cii(_CII_2),  # ZUGFeRD 2, Factur-X, XRechnung CII
    "Invoice": _ubl("InvoiceLine", "InvoicedQuantity"),  # UBL 2: XRechnung, Peppol
    "CreditNote": _ubl("CreditNoteLine", "CreditedQuantity"),
}
# UNTDID 1001: what an e-invoice's type code makes of it, where that is no demand for payment of its amounts as they are.
OTHER_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532"), "credit note"),
    "325": "pro forma invoice",
    "384": "corrected invoice",
}
