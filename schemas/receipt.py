"""A receipt of a shop, restaurant or machine. Knows what is printed on receipts, not how it is read."""

from __future__ import annotations

from datetime import date as Date
from datetime import time as Time
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from docpipe.annotations import AnyOf, AtMost, Kind, Labels, NotLabels, OtherTitles, OwnTitles, Product, Required, Rule, SameBlock, Sum


class Merchant(BaseModel):
    """Who sold; mostly the unlabelled lines at the head of the receipt."""

    name: Annotated[
        str | None,
        Kind("name"),
        Labels(
            en="company name|business name|store name|merchant",
            de="Firmenname|Händler|Firma",
            fr="raison sociale|enseigne|commerçant",
            es="razón social|nombre comercial|comercio",
            ko="상호|상호명|가맹점명|매장명",
            nl="bedrijfsnaam|winkel",
            it="ragione sociale|esercente",
        ),
        NotLabels(
            en="cashier|customer|served by|sold to|bill to",
            de="Kassierer|Kunde|Bediener|Es bediente Sie",
            fr="caissier|client|servi par",
            es="cajero|cliente|atendido por",
            ko="담당자|고객명|대표자",
        ),
    ] = Field(None, description="Name of the shop or company as printed at the head of the receipt, with its legal form")
    address: Annotated[
        str | None,
        Kind("address"),
        Labels(
            en="store address|address",
            de="Anschrift|Adresse",
            fr="adresse",
            es="dirección|domicilio",
            ko="사업장 소재지|주소",
            nl="adres",
            it="indirizzo",
        ),
    ] = Field(None, description="Address of the shop as printed, without its name, phone and register numbers")
    tax_id: Annotated[
        str | None,
        Kind("tax_id"),
        Labels(
            en="GST registration no|GST reg no|GST ID no|GST no|GST ID|SST ID|SST no|VAT registration number|VAT reg no|VAT number"
            "|VAT no|tax ID|TIN|ABN",
            de="USt-IdNr.|USt-ID|UID-Nr.|UID|Steuernummer|St.-Nr.",
            fr="n° TVA intracommunautaire|TVA intracom|n° TVA|numéro de TVA",
            es="NIF/CIF|NIF|CIF|RFC|RUC",
            ko="사업자등록번호|사업자번호|등록번호",
            nl="btw-nummer|btw-nr.|btw nr",
            it="partita IVA|P. IVA|P.IVA",
        ),
    ] = Field(None, description="Tax registration number of the merchant (VAT, GST or national), not its company register number")


class LineItem(BaseModel):
    """One thing bought."""

    description: Annotated[
        str | None,
        Labels(
            en="description|item description|item name|item|product|particulars",
            de="Bezeichnung|Artikel|Beschreibung",
            fr="désignation|article|libellé",
            es="descripción|artículo|concepto|producto",
            ko="상품명|품명|품목|메뉴",
            nl="omschrijving|artikel",
            it="descrizione|articolo",
        ),
    ] = Field(None, description="What was bought, as printed, without item code")
    quantity: Annotated[
        Decimal | None,
        Kind("quantity"),
        Labels(
            en="quantity|qty|units|pcs",
            de="Menge|Anzahl|Stk.",
            fr="quantité|qté|qte",
            es="cantidad|cant.|uds.",
            ko="수량",
            nl="aantal",
            it="quantità|q.tà|qta",
        ),
    ] = Field(None, description="How many were bought, or the weight")
    unit_price: Annotated[
        Decimal | None,
        Labels(
            en="unit price|u. price|u/price|price/unit|price",
            de="Einzelpreis|E-Preis|Preis",
            fr="prix unitaire|P.U.|PU|prix",
            es="precio unitario|P. unit.|precio",
            ko="단가",
            nl="stukprijs|prijs",
            it="prezzo unitario|prezzo",
        ),
    ] = Field(None, description="Price of one, or of one unit of weight")
    amount: Annotated[
        Decimal | None,
        Labels(
            en="amount|line total|total price|total|amt",
            de="Betrag|Gesamtpreis|Summe|Gesamt",
            fr="montant|prix total|total",
            es="importe|total",
            ko="금액",
            nl="bedrag|totaal",
            it="importo|totale",
        ),
    ] = Field(None, description="Amount of the row as printed")


class Receipt(BaseModel):
    """A receipt: what was paid to whom, when and how."""

    own_titles: ClassVar[OwnTitles] = OwnTitles(
        en="receipt|sales receipt|invoice|tax invoice|bill",
        de="Quittung|Kassenbon|Beleg|Rechnung",
        fr="ticket|reçu|facture",
        es="ticket|recibo|factura",
        ko="영수증",
        nl="kassabon|bon",
        it="ricevuta|scontrino",
    )
    other_titles: ClassVar[OtherTitles] = OtherTitles(
        en="quotation|quote|estimate|pro forma|proforma|delivery note|order confirmation|sales order|purchase order|reminder"
        "|payment reminder|statement of account|account statement|remittance advice|price list"
        "|refund|return receipt|credit note|gift receipt",
        de="Angebot|Kostenvoranschlag|Proforma|Lieferschein|Auftragsbestätigung|Mahnung|Zahlungserinnerung|Kontoauszug|Preisliste"
        "|Storno|Gutschrift|Retoure|Zwischenrechnung",
        fr="devis|pro forma|proforma|bon de livraison|bon de commande|confirmation de commande|relevé de compte|avoir"
        "|remboursement|note provisoire",
        es="presupuesto|proforma|albarán|confirmación de pedido|recordatorio de pago|estado de cuenta|devolución|nota de crédito|abono",
        ko="견적서|거래명세서|발주서|취소|환불|반품",
        nl="offerte|proforma|pakbon|orderbevestiging|herinnering|aanmaning|rekeningoverzicht|retour|creditnota",
        it="preventivo|proforma|conferma d'ordine|sollecito di pagamento|estratto conto|nota di credito|reso|storno|preconto",
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        Sum("total", ("net_total", "tax_total", "rounding"), optional=("rounding",)),
        AnyOf(
            (
                Sum("total", ("line_items[*].amount", "rounding"), ("discount",), ("rounding", "discount")),
                Sum("net_total", ("line_items[*].amount",), ("discount",), ("discount",)),
                Sum("total", ("line_items[*].amount", "tax_total", "rounding"), ("discount",), ("rounding", "discount")),
            )
        ),
        Sum("total", ("cash",), ("change",)),
        Product("line_items[*].amount", ("line_items[*].quantity", "line_items[*].unit_price")),
        AtMost("tax_total", "total", Decimal("0.30")),
        AtMost("rounding", "total", Decimal("0.05")),
        SameBlock(("merchant.name", "merchant.address")),
    )

    merchant: Annotated[
        Merchant | None,
        Labels(en="merchant|sold by|store", de="Händler|Verkäufer", fr="vendeur|magasin", es="vendedor|tienda", ko="판매자|가맹점|공급자"),
    ] = Field(None, description="The shop that issued the receipt")
    date: Annotated[
        Date | None,
        Required(),
        Labels(
            en="receipt date|transaction date|trans date|trans. date|invoice date|bill date|date of sale|purchase date|date/time"
            "|date & time|date time|date",
            de="Belegdatum|Kassendatum|Verkaufsdatum|Rechnungsdatum|Kaufdatum|Datum/Uhrzeit|Datum",
            fr="date du ticket|date de vente|date d'achat|date de transaction|date/heure|date",
            es="fecha de compra|fecha de venta|fecha y hora|fecha/hora|fecha",
            ko="거래일시|판매일시|결제일시|승인일시|거래일자|판매일|일시|날짜",
            nl="aankoopdatum|datum/tijd|datum",
            it="data acquisto|data e ora|data/ora|data",
            ms="tarikh",
        ),
        NotLabels(
            en="expiry date|print date|due date|delivery date|return by",
            de="gültig bis|Druckdatum|Lieferdatum|Mindesthaltbarkeit",
            fr="date d'expiration|valable jusqu'au|date d'impression",
            es="fecha de caducidad|válido hasta",
            ko="유효기간|개점일|교환기한",
        ),
    ] = Field(None, description="Day of the sale")
    time: Annotated[
        Time | None,
        Labels(
            en="transaction time|trans time|time of sale|time",
            de="Uhrzeit|Zeit",
            fr="heure de vente|heure",
            es="hora",
            ko="거래시간|시간",
            nl="tijdstip|tijd",
            it="ora",
            ms="masa",
        ),
    ] = Field(None, description="Time of day of the sale")
    line_items: list[LineItem] = Field(
        default_factory=list, description="Every thing bought, in printed order; no subtotals, taxes, discounts on the whole or payments"
    )
    discount: Annotated[
        Decimal | None,
        Labels(
            en="total discount|bill discount|discount amount|discount|total savings|voucher",
            de="Gesamtrabatt|Rabatt|Nachlass",
            fr="remise totale|total remise|remise",
            es="descuento total|descuento",
            ko="할인금액|할인액|할인",
            nl="totaal korting|korting",
            it="sconto totale|sconto",
        ),
    ] = Field(None, description="Discount on the whole receipt, without sign")
    net_total: Annotated[
        Decimal | None,
        Labels(
            en="total excluding GST|total excl. GST|total excl. tax|total before tax|amount before tax|taxable amount|net amount"
            "|subtotal|sub-total|sub total",
            de="Nettobetrag|Summe netto|Netto-Umsatz|Netto|Zwischensumme",
            fr="total HT|montant HT|HT|sous-total",
            es="base imponible|total sin IVA|subtotal",
            ko="공급가액|과세물품가액|과세금액|과세물품",
            nl="totaal excl. btw|netto|subtotaal",
            it="imponibile|totale netto|subtotale",
        ),
    ] = Field(None, description="Total without tax")
    tax_total: Annotated[
        Decimal | None,
        Labels(
            en="total tax|total GST|total VAT|GST amount|tax amount|VAT amount|sales tax|service tax|GST payable|GST 6%|GST|VAT|SST|tax",
            de="enthaltene MwSt.|MwSt.-Betrag|Steuerbetrag|Mehrwertsteuer|Umsatzsteuer|MwSt.|USt.|Steuer",
            fr="total TVA|montant TVA|dont TVA|TVA",
            es="total IVA|cuota IVA|importe IVA|IVA",
            ko="부가세액|부가가치세|부가세|세액",
            nl="totaal btw|btw-bedrag|btw",
            it="di cui IVA|totale IVA|importo IVA|IVA",
        ),
    ] = Field(None, description="Tax in the total, all rates added up")
    rounding: Annotated[
        Decimal | None,
        Labels(
            en="rounding adjustment|rounding adj|rounding amount|rounding|round adj|rounded",
            de="Rundungsdifferenz|Rundung",
            fr="arrondi",
            es="redondeo",
            ko="절사|단수조정|끝전",
            nl="afronding",
            it="arrotondamento",
            ms="pelarasan pembundaran|pembundaran",
        ),
        NotLabels(en="rounded total|total rounded|total after rounding|total before rounding"),
    ] = Field(None, description="Amount added to round the total, with its sign")
    total: Annotated[
        Decimal | None,
        Required(),
        Labels(
            en="total after rounding|total rounded|rounded total|total inclusive of GST|total inclusive GST|total incl. GST"
            "|total inc GST|total with GST|total sales inclusive of GST|total incl. tax|total including tax|grand total"
            "|total amount due|total payable|total amt payable|total due|amount due|balance due|amount payable|net total|nett total"
            "|total sales|total amount|bill total|total",
            de="zu zahlen|Gesamtbetrag|Gesamtsumme|Endbetrag|Rechnungsbetrag|Summe EUR|Summe|Gesamt|Total",
            fr="total TTC|montant TTC|net à payer|total à payer|montant total|total",
            es="total a pagar|importe total|total compra|total con IVA|total",
            ko="받을금액|결제금액|결제할 금액|판매금액|합계금액|총금액|총액|총 합계|합계",
            nl="totaal te betalen|te betalen|totaalbedrag|totaal",
            it="totale complessivo|totale euro|totale da pagare|totale",
            ms="jumlah besar|jumlah perlu dibayar|jumlah",
        ),
        NotLabels(
            en="total qty|total quantity|total items|total item|item count|total tax|total GST|total discount|total savings"
            "|total before rounding|subtotal|change|cash tendered",
            de="Zwischensumme|Anzahl Artikel|Rückgeld|gegeben",
            fr="sous-total|nombre d'articles|rendu|monnaie",
            es="subtotal|número de artículos|cambio|entregado",
            ko="소계|총수량|거스름돈|받은금액",
            nl="subtotaal|wisselgeld",
            it="subtotale|numero articoli|resto",
            ms="baki",
        ),
    ] = Field(None, description="What was to be paid in all, with tax and after rounding")
    cash: Annotated[
        Decimal | None,
        Labels(
            en="cash tendered|amount tendered|cash received|cash paid|amount received|tendered|cash",
            de="Bar gegeben|gegeben|bar erhalten|Bar",
            fr="espèces|reçu",
            es="entregado|efectivo",
            ko="받은금액|현금|받은돈",
            nl="contant|ontvangen",
            it="contanti|contante",
            ms="tunai",
        ),
    ] = Field(None, description="Cash handed over")
    change: Annotated[
        Decimal | None,
        Labels(
            en="change due|change given|change",
            de="Rückgeld|Wechselgeld|zurück",
            fr="monnaie rendue|rendu monnaie|rendu|à rendre",
            es="cambio|vuelto|devolución",
            ko="거스름돈|거스름|잔돈",
            nl="wisselgeld|terug",
            it="resto",
            ms="baki",
        ),
    ] = Field(None, description="Cash handed back")
    currency: Annotated[
        str | None,
        Kind("currency"),
        Labels(en="currency", de="Währung", fr="devise", es="moneda|divisa", ko="통화", nl="valuta", it="valuta"),
    ] = Field(None, description="Currency of the amounts as an ISO 4217 code, such as EUR")
    payment_method: Annotated[
        str | None,
        Kind("text"),
        Labels(
            en="payment method|payment type|payment mode|paid by|tender type|tender|payment",
            de="Zahlungsart|Zahlart|Bezahlung|bezahlt mit",
            fr="mode de paiement|mode de règlement|moyen de paiement|payé par|paiement",
            es="forma de pago|método de pago|medio de pago",
            ko="결제수단|결제방법|결제구분|지불방법",
            nl="betaalwijze|betaalmethode|betaald met",
            it="metodo di pagamento|modalità di pagamento|pagamento",
        ),
    ] = Field(None, description="How it was paid, as printed, such as CASH or VISA")
