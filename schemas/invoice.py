"""An invoice or credit note; fields and terms follow EN 16931. Knows what is printed on invoices, not how it is read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from docpipe.annotations import (
    AnyOf,
    AtMost,
    DefaultTo,
    Distinct,
    Kind,
    Labels,
    NotLabels,
    Ordered,
    OtherTitles,
    OwnTitles,
    Product,
    Required,
    Rule,
    SameBlock,
    Sum,
)


class Party(BaseModel):
    """A company or person on the invoice."""

    name: Annotated[
        str | None,
        Kind("name"),
        Labels(
            en="company name|legal name|name|company",
            de="Firmenname|Firma|Name",
            fr="raison sociale|dénomination sociale|nom de l'entreprise|société|nom",
            es="razón social|nombre o razón social|nombre fiscal|nombre|empresa",
            ko="상호|법인명|회사명|성명",
            nl="bedrijfsnaam|naam",
            it="ragione sociale|denominazione|nome",
        ),
        NotLabels(
            en="ship to|deliver to|delivery address|shipping address|contact|attention|account holder|bank name",
            de="Lieferadresse|Lieferanschrift|Warenempfänger|Ansprechpartner|Bearbeiter|Sachbearbeiter|Kontoinhaber|Bank",
            fr="adresse de livraison|livré à|livrer à|contact|titulaire du compte|banque",
            es="dirección de entrega|dirección de envío|enviar a|contacto|titular de la cuenta|banco",
            ko="배송지|담당자|예금주",
            nl="afleveradres|bezorgadres|contactpersoon|rekeninghouder",
            it="indirizzo di spedizione|destinazione merce|referente|intestatario",
        ),
    ] = Field(None, description="Name of the company or, where there is none, of the person; without salutation and contact person")
    address: Annotated[
        str | None,
        Kind("address"),
        Labels(
            en="registered address|address",
            de="Anschrift|Adresse",
            fr="adresse|siège social",
            es="dirección|domicilio fiscal|domicilio",
            ko="사업장 소재지|사업장주소|주소",
            nl="adres",
            it="indirizzo|sede legale",
        ),
        NotLabels(
            en="ship to|delivery address|shipping address",
            de="Lieferadresse|Lieferanschrift|Warenempfänger",
            fr="adresse de livraison|livré à",
            es="dirección de entrega|dirección de envío",
            ko="배송지",
            nl="afleveradres|bezorgadres",
            it="indirizzo di spedizione|destinazione merce",
        ),
    ] = Field(None, description="Postal address of the party: street, postal code and city, without its name")
    tax_id: Annotated[
        str | None,
        Kind("tax_id"),
        Labels(
            en="VAT identification number|VAT registration number|VAT reg no|VAT ID|VAT number|VAT no|tax registration number|tax ID"
            "|tax number|GST registration no|GST number|GST no|GSTIN|ABN|EIN|TIN",
            de="Umsatzsteuer-Identifikationsnummer|Umsatzsteuer-ID|USt-IdNr.|USt-ID-Nr.|USt.-Id.Nr.|USt-ID-Nummer|USt-ID|UID-Nummer"
            "|UID|MwSt-Nr.|Steuernummer|St.-Nr.|Steuer-Nr.",
            fr="numéro de TVA intracommunautaire|n° TVA intracommunautaire|TVA intracommunautaire|n° TVA intracom|TVA intracom"
            "|n° identification TVA|numéro de TVA|n° de TVA|n° TVA|id TVA",
            es="número de identificación fiscal|NIF/CIF|CIF/NIF|NIF-IVA|número de IVA|NIF|CIF|RFC|RUC|CUIT",
            ko="사업자등록번호|사업자 등록번호|등록번호",
            nl="btw-identificatienummer|btw-nummer|btw-nr.|btw-id|btw nr",
            it="partita IVA|P. IVA|P.IVA|codice fiscale e partita IVA|codice fiscale|C.F.",
        ),
        NotLabels(
            en="company registration number|company no|registration no|commercial register",
            de="Handelsregister|HRB|HRA|Registergericht",
            fr="SIRET|SIREN|RCS|code APE|code NAF",
            es="registro mercantil",
            nl="KvK-nummer|KvK",
            it="REA",
        ),
    ] = Field(None, description="VAT identification number of the party; its national tax number where no VAT number is printed")


class LineItem(BaseModel):
    """One billed position."""

    description: Annotated[
        str | None,
        Labels(
            en="description of goods|item description|product description|description|particulars|details|item|product|service",
            de="Artikelbezeichnung|Bezeichnung|Beschreibung|Leistungsbeschreibung|Leistung|Artikel|Produkt|Dienstleistung|Benennung|Text",
            fr="désignation|description|libellé|article|produit|prestation|nature des prestations",
            es="descripción|concepto|artículo|producto|detalle|denominación",
            ko="품목|품명|품목명|내역|상품명",
            nl="omschrijving|beschrijving|artikel|product",
            it="descrizione|articolo|prodotto|descrizione dei beni",
        ),
    ] = Field(None, description="What is billed, as printed, all lines of the description; without article number")
    quantity: Annotated[
        Decimal | None,
        Kind("quantity"),
        Labels(
            en="quantity|qty|hours|hrs|units|count|pcs",
            de="Menge|Anzahl|Stunden|Stück|Stk.|Std.",
            fr="quantité|qté|qte|nombre|heures",
            es="cantidad|cant.|uds.|unidades|horas",
            ko="수량",
            nl="aantal|hoeveelheid|uren",
            it="quantità|q.tà|qta|ore",
        ),
    ] = Field(None, description="How many units are billed, without the unit")
    unit_price: Annotated[
        Decimal | None,
        Labels(
            en="unit price|price per unit|price each|unit cost|price|rate|each",
            de="Einzelpreis|Stückpreis|Preis/Einheit|Preis pro Einheit|E-Preis|EP|Nettopreis|Einzel|Preis",
            fr="prix unitaire HT|prix unitaire|P.U. HT|PU HT|P.U.|PU|tarif|prix",
            es="precio unitario|precio unidad|precio/ud.|precio",
            ko="단가",
            nl="prijs per stuk|stukprijs|eenheidsprijs|tarief|prijs",
            it="prezzo unitario|prezzo unit.|prezzo",
        ),
    ] = Field(None, description="Price of one unit")
    amount: Annotated[
        Decimal | None,
        Labels(
            en="line total|line amount|net amount|extended price|ext. price|total price|amount|total",
            de="Gesamtpreis|Positionsbetrag|Nettobetrag|Gesamtbetrag|G-Preis|GP|Betrag|Gesamt|Summe|Wert",
            fr="montant HT|total HT|prix total|montant|total",
            es="importe|importe total|total",
            ko="공급가액|금액|합계",
            nl="regeltotaal|totaalbedrag|bedrag|totaal",
            it="importo|prezzo totale|totale",
        ),
    ] = Field(None, description="Amount of the position as printed in its row")
    tax_rate: Annotated[
        Decimal | None,
        Kind("rate"),
        Labels(
            en="VAT rate|tax rate|VAT %|GST %|tax %|VAT|GST|tax",
            de="MwSt-Satz|USt-Satz|Steuersatz|MwSt. %|USt. %|MwSt.|USt.|Steuer",
            fr="taux TVA|taux de TVA|% TVA|TVA %|TVA",
            es="tipo IVA|tipo de IVA|% IVA|IVA %|IVA",
            ko="세율",
            nl="btw-tarief|btw %|btw",
            it="aliquota IVA|aliquota|% IVA|IVA",
        ),
    ] = Field(None, description="Tax rate of the position in percent, 19 for 19 %")


class Tax(BaseModel):
    """What one tax rate adds."""

    rate: Annotated[
        Decimal | None,
        Kind("rate"),
        Labels(
            en="VAT rate|tax rate|VAT %|tax %|rate",
            de="Steuersatz|MwSt-Satz|USt-Satz|MwSt. %|USt. %|Satz",
            fr="taux de TVA|taux TVA|taux",
            es="tipo de IVA|tipo IVA|% IVA|tipo",
            ko="세율",
            nl="btw-tarief|btw %|tarief",
            it="aliquota IVA|aliquota",
        ),
    ] = Field(None, description="Tax rate in percent, 19 for 19 %")
    base: Annotated[
        Decimal | None,
        Labels(
            en="taxable amount|tax base|VAT base|net amount|goods value",
            de="Bemessungsgrundlage|Steuerbasisbetrag|Basisbetrag|Nettobetrag|Warenwert|netto",
            fr="base HT|base imposable|base TVA|montant HT|base",
            es="base imponible|base",
            ko="과세표준|공급가액",
            nl="grondslag|maatstaf van heffing|btw-grondslag",
            it="imponibile|base imponibile",
        ),
    ] = Field(None, description="Amount that this rate is levied on")
    amount: Annotated[
        Decimal | None,
        Labels(
            en="VAT amount|tax amount|VAT|tax",
            de="Steuerbetrag|MwSt-Betrag|USt-Betrag|Umsatzsteuerbetrag|MwSt.|USt.|Steuer",
            fr="montant TVA|montant de la TVA|TVA",
            es="cuota IVA|importe IVA|cuota|IVA",
            ko="세액|부가세",
            nl="btw-bedrag|btw",
            it="imposta|importo IVA|IVA",
        ),
    ] = Field(None, description="Tax at this rate")


class Invoice(BaseModel):
    """An invoice, credit note or other bill: who owes whom how much for what."""

    own_titles: ClassVar[OwnTitles] = OwnTitles(
        en="invoice|tax invoice|bill",
        de="Rechnung",
        fr="facture",
        es="factura",
        ko="청구서|송장|계산서|세금계산서",
        nl="factuur",
        it="fattura",
    )
    # A credit note's amounts mean the contrary, and most print them without a minus: a person decides.
    other_titles: ClassVar[OtherTitles] = OtherTitles(
        en="statement of account|account statement|statement|pro forma|proforma|quotation|quote|offer|estimate|order confirmation"
        "|order acknowledgement|sales order|purchase order|delivery note|packing slip|packing list|dispatch note|waybill|reminder"
        "|payment reminder|overdue notice|final notice|remittance advice|credit note|credit memo|debit note|refund|corrected invoice"
        "|credit invoice|invoice credit|credit advice|adjustment note|cancellation invoice|invoice cancellation|reversal invoice"
        "|self billing|self billed|price list|paid|this is not an invoice|not a tax invoice",
        de="Kontoauszug|Kontoübersicht|Offene Posten|Saldenbestätigung|Proforma|Proformarechnung|Pro forma|Angebot|Kostenvoranschlag"
        "|Auftragsbestätigung|Bestellbestätigung|Bestellung|Lieferschein|Packliste|Frachtbrief|Mahnung|Zahlungserinnerung|Mahnschreiben"
        "|Zahlungsavis|Avis|Gutschrift|Rechnungsgutschrift|Sammelgutschrift|Retourengutschrift|Wertgutschrift|Gutschriftsrechnung"
        "|Gutschriftanzeige|Gutschriftsanzeige|Kreditnote|Stornorechnung|Storno|Stornobeleg|Stornierung|Annullierung|Rechnungskorrektur"
        "|Korrekturrechnung|Korrektur|Rechnungsberichtigung|berichtigte Rechnung|Preisliste"
        "|bezahlt|dies ist keine Rechnung|keine Rechnung",
        fr="relevé de compte|relevé|pro forma|proforma|devis|offre de prix|confirmation de commande|accusé de réception|bon de commande"
        "|bon de livraison|bordereau de livraison|rappel|relance|mise en demeure|avis de paiement|avoir|note de crédit"
        "|facture rectificative|facture d'avoir|annulation|remboursement|tarif|payé|payée|acquittée|ceci n'est pas une facture",
        es="estado de cuenta|extracto|proforma|pro forma|presupuesto|cotización|oferta|confirmación de pedido|pedido|albarán"
        "|nota de entrega|recordatorio|recordatorio de pago|aviso de pago|nota de crédito|nota de abono|factura de abono|abono"
        "|factura rectificativa|rectificación|devolución|pagado|pagada|esto no es una factura",
        ko="거래명세서|거래명세표|견적서|발주서|주문서|주문확인서|납품서|독촉장|독촉|최고서|수정세금계산서|수정전자세금계산서|입금표|잔액확인서|결제완료",
        nl="rekeningoverzicht|pro forma|proforma|offerte|orderbevestiging|pakbon|leverbon|herinnering|aanmaning|creditnota|creditfactuur"
        "|betaald",
        it="estratto conto|pro forma|proforma|preventivo|offerta|conferma d'ordine|documento di trasporto|bolla di consegna|sollecito"
        "|sollecito di pagamento|nota di credito|nota di debito|pagato|pagata",
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        Sum("gross_total", ("net_total", "tax_total")),
        AnyOf(
            (
                Sum("net_total", ("line_items[*].amount", "charge_total"), ("allowance_total",), ("charge_total", "allowance_total")),
                Sum("gross_total", ("line_items[*].amount", "charge_total"), ("allowance_total",), ("charge_total", "allowance_total")),
                Sum(
                    "gross_total",
                    ("line_items[*].amount", "charge_total", "tax_total"),
                    ("allowance_total",),
                    ("charge_total", "allowance_total"),
                ),
            )
        ),
        Product("line_items[*].amount", ("line_items[*].quantity", "line_items[*].unit_price")),
        Sum("tax_total", ("taxes[*].amount",)),
        Sum("net_total", ("taxes[*].base",)),
        Sum("amount_due", ("gross_total", "rounding"), ("prepaid_amount",), ("rounding",)),
        AtMost("tax_total", "net_total", Decimal("0.30")),
        DefaultTo("amount_due", "gross_total"),
        Ordered("issue_date", "due_date"),
        Distinct("seller.name", "buyer.name"),
        Distinct("seller.tax_id", "buyer.tax_id"),
        SameBlock(("seller.name", "seller.address")),
        SameBlock(("buyer.name", "buyer.address")),
    )

    invoice_number: Annotated[
        str | None,
        Required(),
        Kind("id"),
        Labels(
            en="tax invoice number|tax invoice no|invoice number|invoice no|invoice #|invoice num|invoice ID|invoice ref|inv. no|inv #"
            "|credit note number|credit note no|credit memo no|bill number|bill no|document number|document no|invoice",
            de="Rechnungsnummer|Rechnungs-Nr.|Rechnungsnr.|Rechnung Nr.|Rechnung Nummer|Rechnung #|Re.-Nr.|Rg.-Nr.|Gutschriftsnummer"
            "|Gutschrift Nr.|Rechnungskorrektur Nr.|Belegnummer|Beleg-Nr.|Dokumentnummer|Rechnung",
            fr="numéro de facture|numéro de la facture|n° de facture|n° facture|facture n°|facture numéro|facture no|no facture"
            "|réf. facture|numéro d'avoir|avoir n°|facture",
            es="número de factura|nº de factura|n.º de factura|nº factura|núm. factura|factura nº|factura número|factura n.º|factura",
            ko="송장번호|인보이스 번호|청구서 번호|계산서 번호|승인번호|일련번호",
            nl="factuurnummer|factuurnr.|factuur nr.|creditnotanummer|factuur",
            it="numero fattura|numero della fattura|n. fattura|fattura n.|fattura nr.|fattura numero|fattura",
        ),
        NotLabels(
            en="order number|customer number|customer no|account number|account no|delivery note number|reference|PO number"
            "|quote number|project number|contract number|page|phone|fax",
            de="Kundennummer|Kunden-Nr.|Bestellnummer|Auftragsnummer|Lieferscheinnummer|Lieferschein-Nr.|Lieferantennummer"
            "|Angebotsnummer|Vorgangsnummer|Projektnummer|Vertragsnummer|Referenz|Seite|Telefon|Fax",
            fr="numéro client|n° client|code client|n° de commande|numéro de commande|bon de livraison|référence|page|téléphone",
            es="número de cliente|nº cliente|nº de pedido|número de pedido|albarán|referencia|página|teléfono",
            ko="고객번호|주문번호|전화번호",
            nl="klantnummer|ordernummer|bestelnummer|pakbonnummer|referentie|pagina",
            it="codice cliente|numero ordine|n. ordine|riferimento|pagina",
        ),
    ] = Field(None, description="Number of the invoice or credit note, as printed")
    issue_date: Annotated[
        date | None,
        Required(),
        Labels(
            en="invoice date|date of invoice|tax invoice date|date of issue|issue date|issued on|date issued|billing date|bill date"
            "|invoice issued|document date|dated|date",
            de="Rechnungsdatum|Rechnungs-Datum|Datum der Rechnung|Ausstellungsdatum|Belegdatum|Gutschriftsdatum|Rechnung vom|Datum|vom",
            fr="date de facturation|date de la facture|date de facture|date facture|date d'émission|émise le|facturé le|date|du",
            es="fecha de factura|fecha factura|fecha de emisión|fecha de expedición|fecha emisión|fecha",
            ko="발행일자|발행일|작성일자|청구일|송장일자|인보이스 날짜|일자",
            nl="factuurdatum|datum factuur|factuur datum|datum",
            it="data fattura|data della fattura|data di emissione|data emissione|data documento|data",
        ),
        NotLabels(
            en="order date|ship date|print date|period",
            de="Bestelldatum|Auftragsdatum|Druckdatum|Lieferscheindatum|Leistungszeitraum|Zeitraum",
            fr="date de commande|période|date d'impression",
            es="fecha de pedido|fecha de impresión|periodo",
            ko="주문일|주문일자",
            nl="orderdatum|besteldatum|periode",
            it="data ordine|periodo",
        ),
    ] = Field(None, description="Date the invoice was issued")
    due_date: Annotated[
        date | None,
        Labels(
            en="payment due date|due date|date due|payment due by|payment due|pay by|payable by|due on|due by"
            "|please pay by|please remit until|remit until|remit by|pay until|due",
            de="Fälligkeitsdatum|Fälligkeit|fällig am|fällig bis|zahlbar bis zum|zahlbar bis|zahlbar am|Zahlungsziel|zu zahlen bis"
            "|zu überweisen bis|überweisen bis zum|Zahlungstermin|Fälligkeitstermin|fällig",
            fr="date d'échéance|date échéance|date limite de paiement|échéance de paiement|à payer avant le|à régler avant le"
            "|payable avant le|échéance|échéance le|prélevé le|payable le",
            es="fecha de vencimiento|fecha vencimiento|fecha límite de pago|vence el|vencimiento|pagar antes de",
            ko="지급기한|납부기한|결제기한|지불기한|만기일",
            nl="vervaldatum|uiterste betaaldatum|te betalen voor|betalen voor",
            it="data di scadenza|data scadenza|scadenza pagamento|scadenza|pagamento entro",
        ),
    ] = Field(None, description="Date by which the invoice must be paid, where one is printed")
    delivery_date: Annotated[
        date | None,
        Labels(
            en="date of supply|supply date|delivery date|date of delivery|delivered on|service date|date of service|tax point",
            de="Liefer- und Leistungsdatum|Liefer-/Leistungsdatum|Lieferdatum/Leistungsdatum|Leistungsdatum|Lieferdatum|Liefertermin"
            "|Datum der Lieferung|Datum der Leistung|geliefert am",
            fr="date de livraison|date de la livraison|date de prestation|date de réalisation|livré le|livrée le",
            es="fecha de entrega|fecha de prestación|fecha de operación|fecha de la operación|entregado el",
            ko="납품일자|납품일|공급일자|배송일",
            nl="leverdatum|leveringsdatum|datum levering|prestatiedatum",
            it="data di consegna|data consegna|data della prestazione",
        ),
    ] = Field(None, description="Day the goods or services were supplied, where a single day is printed")
    order_number: Annotated[
        str | None,
        Kind("id"),
        Labels(
            en="purchase order number|purchase order no|purchase order|customer order no|your order no|your order|order number"
            "|order no|order #|order ID|P.O. number|PO number|PO no|PO #|PO",
            de="Bestellnummer|Bestell-Nr.|Bestellung Nr.|Ihre Bestellnummer|Ihre Bestellung|Auftragsnummer|Auftrags-Nr.|Auftrag Nr."
            "|Bestellung|Auftrag",
            fr="numéro de bon de commande|numéro de commande|n° de commande|n° commande|commande n°|bon de commande|votre commande"
            "|réf. commande",
            es="número de pedido|nº de pedido|nº pedido|núm. pedido|pedido nº|orden de compra|su pedido",
            ko="주문번호|발주번호|구매주문번호",
            nl="bestelnummer|ordernummer|inkoopordernummer|uw bestelling|ordernr.",
            it="numero d'ordine|numero ordine|n. ordine|ordine n.|ordine d'acquisto|vostro ordine",
        ),
    ] = Field(None, description="Number of the buyer's purchase order; the seller's order number where no other is printed")
    currency: Annotated[
        str | None,
        Kind("currency"),
        Labels(en="currency", de="Währung", fr="devise|monnaie", es="moneda|divisa", ko="통화", nl="valuta", it="valuta|divisa"),
    ] = Field(None, description="Currency of the amounts as an ISO 4217 code, such as EUR")
    seller: Annotated[
        Party | None,
        Labels(
            en="seller|supplier|vendor|bill from|billed by|sold by|issued by|invoice from|remit to|payable to|from",
            de="Rechnungssteller|Rechnungsaussteller|Verkäufer|Lieferant|Leistungserbringer|Leistender Unternehmer|Absender|Auftragnehmer",
            fr="vendeur|fournisseur|émetteur|émis par|prestataire|facturé par",
            es="vendedor|proveedor|emisor|datos del emisor|emitido por|expedidor",
            ko="공급자|판매자|공급하는 자|발신",
            nl="verkoper|leverancier|afzender",
            it="cedente/prestatore|cedente|fornitore|venditore|mittente|emittente",
        ),
    ] = Field(None, description="Who issued the invoice and is to be paid")
    buyer: Annotated[
        Party | None,
        Labels(
            en="bill to|billed to|invoice to|invoiced to|billing address|invoice address|sold to|buyer|purchaser|customer details"
            "|customer|client|prepared for|account name",
            de="Rechnungsempfänger|Rechnungsadresse|Rechnungsanschrift|Rechnung an|Leistungsempfänger|Käufer|Kunde|Auftraggeber|Empfänger",
            fr="facturé à|facturer à|adressé à|adresse de facturation|acheteur|client|destinataire",
            es="facturar a|facturado a|datos del cliente|cliente|comprador|destinatario|receptor",
            ko="공급받는자|공급받는 자|구매자|청구처|수신|귀하",
            nl="factuuradres|gefactureerd aan|factuur aan|koper|klant|afnemer",
            it="cessionario/committente|cessionario|committente|intestato a|fatturare a|cliente|destinatario|acquirente",
        ),
    ] = Field(None, description="Who owes the invoice; not the delivery address where that is another")
    line_items: list[LineItem] = Field(
        default_factory=list,
        description="Every billed position, in printed order, over all pages; no subtotals, no carried sums, no shipping",
    )
    charge_total: Annotated[
        Decimal | None,
        Labels(
            en="total charges|shipping and handling|shipping & handling|shipping cost|shipping|freight charges|freight|delivery charge"
            "|postage and packing|handling fee|surcharge",
            de="Gesamtbetrag der Zuschläge|Summe Zuschläge|Versandkosten|Versand und Verpackung|Verpackung und Versand|Frachtkosten"
            "|Fracht|Versand|Zuschläge|Zuschlag",
            fr="total des frais|frais de port et d'emballage|frais de port|frais de livraison|frais d'expédition|port et emballage"
            "|majoration",
            es="total cargos|gastos de envío|portes|transporte|recargo",
            ko="배송비|운송비|추가요금",
            nl="verzendkosten|totaal toeslagen|toeslag|vracht",
            it="spese di spedizione|spese di trasporto|spese di trasporto e imballo|maggiorazione",
        ),
    ] = Field(None, description="What is added to the sum of the positions before tax, such as shipping, without sign")
    allowance_total: Annotated[
        Decimal | None,
        Labels(
            en="total discount|invoice discount|total allowances|discount amount|discount",
            de="Gesamtbetrag der Abschläge|Summe Abschläge|Gesamtrabatt|Rechnungsrabatt|Rabattbetrag|Abschläge|Rabatt|Nachlass",
            fr="total des remises|remise globale|montant remise|remise|rabais",
            es="total descuentos|descuento global|descuento",
            ko="할인액|할인금액|할인",
            nl="totaal korting|korting",
            it="sconto totale|totale sconti|sconto",
        ),
    ] = Field(
        None, description="What is taken off the sum of the positions before tax, such as a discount on the whole invoice, without sign"
    )
    net_total: Annotated[
        Decimal | None,
        Labels(
            en="total excluding VAT|total excl. VAT|total excl. tax|total ex VAT|total ex GST|amount excl. VAT|total before tax"
            "|total net amount|total net|net total|subtotal excl. VAT|taxable amount|net amount|subtotal|sub total|net",
            de="Gesamtbetrag ohne Umsatzsteuer|Rechnungssumme ohne Umsatzsteuer|Rechnungsbetrag netto|Gesamtbetrag netto|Gesamt netto"
            "|Gesamtsumme netto|Summe netto|Nettogesamtbetrag|Nettosumme|Nettobetrag|netto gesamt|Nettowert|Warenwert netto"
            "|Zwischensumme netto|Betrag ohne MwSt.|Zwischensumme|Warenwert|netto",
            fr="montant total HT|total général HT|total hors taxes|total hors taxe|total HT|montant HT|montant hors taxes"
            "|sous-total HT|net HT|sous-total",
            es="total base imponible|base imponible|total sin IVA|importe sin IVA|total neto|importe neto|subtotal|neto",
            ko="공급가액 합계|공급가액|소계",
            nl="totaal excl. btw|totaal exclusief btw|bedrag excl. btw|netto totaal|totaal netto|subtotaal|excl. btw",
            it="totale imponibile|imponibile|totale senza IVA|totale netto|importo netto|subtotale",
        ),
    ] = Field(None, description="Total of the whole invoice without tax")
    tax_total: Annotated[
        Decimal | None,
        Labels(
            en="total VAT amount|total VAT|total tax|total GST|VAT total|tax total|VAT amount|tax amount|GST amount|sales tax|plus VAT"
            "|VAT|GST|HST|tax",
            de="Gesamtbetrag der Umsatzsteuer|Gesamtbetrag Umsatzsteuer|Summe Umsatzsteuer|Summe MwSt.|MwSt. gesamt|USt. gesamt"
            "|Mehrwertsteuer gesamt|Steuerbetrag gesamt|zzgl. Umsatzsteuer|zzgl. Mehrwertsteuer|zzgl. MwSt.|zzgl. USt."
            "|Umsatzsteuerbetrag|MwSt.-Betrag|USt.-Betrag|Steuerbetrag|Umsatzsteuer|Mehrwertsteuer|MwSt.|USt.",
            fr="montant total TVA|montant total de la TVA|total TVA|total taxes|montant TVA|montant de la TVA|TVA",
            es="total IVA|importe IVA|cuota IVA|total impuestos|IVA",
            ko="세액 합계|부가가치세|부가세|세액",
            nl="totaal btw|btw-bedrag|btw bedrag|btw",
            it="totale IVA|totale imposta|importo IVA|imposta|IVA",
        ),
    ] = Field(None, description="Total tax of the whole invoice, all rates added up")
    gross_total: Annotated[
        Decimal | None,
        Required(),
        Labels(
            en="total including VAT|total incl. VAT|total incl. tax|total inc GST|total with tax|gross total|total gross|gross amount"
            "|invoice total|total invoice amount|invoice amount|grand total|total amount|amount total|total for this invoice|total",
            de="Gesamtbetrag inkl. Umsatzsteuer|Rechnungssumme inkl. Umsatzsteuer|Gesamtbetrag inkl. MwSt.|Gesamtbetrag mit MwSt."
            "|Rechnungsbetrag brutto|Gesamtbetrag brutto|Gesamt brutto|Summe brutto|Bruttogesamtbetrag|Bruttosumme|Bruttobetrag"
            "|Rechnungsbetrag|Rechnungssumme|Rechnungsendbetrag|Gesamtrechnungsbetrag|Endbetrag|Gesamtbetrag|Gesamtsumme|Endsumme"
            "|brutto|Summe inkl. USt.|Gesamt|Summe",
            fr="montant total TTC|total général TTC|total toutes taxes comprises|total TTC|montant TTC|net TTC|total facture"
            "|total général|total",
            es="total factura|importe total factura|total con IVA|total IVA incluido|total a facturar|importe total|total general|total",
            ko="합계금액|총금액|총 합계|총액|청구금액|합계",
            nl="totaal incl. btw|totaal inclusief btw|totaalbedrag incl. btw|factuurbedrag|factuurtotaal|totaalbedrag|totaal",
            it="totale fattura|totale documento|totale IVA inclusa|totale complessivo|importo totale|totale",
        ),
        NotLabels(
            en="total quantity|total items|total weight|total pages|total hours|page total|total savings|total discount",
            de="Übertrag|Zwischensumme|Gesamtmenge|Gesamtgewicht|Gesamtrabatt",
            fr="report|à reporter|sous-total|total remise|quantité totale|total de la page|total économies",
            es="suma y sigue|total unidades|total página|total ahorro",
            ko="이월|소계|총수량|할인 합계|페이지 합계",
            nl="overdracht|tussentotaal",
            it="riporto|a riportare",
        ),
    ] = Field(None, description="Total of the whole invoice with tax, before anything already paid is taken off")
    prepaid_amount: Annotated[
        Decimal | None,
        Labels(
            en="amount paid|paid amount|already paid|prepaid amount|less deposit|deposit paid|deposit|payments received"
            "|payment received|advance payment|paid",
            de="bereits gezahlter Betrag|bereits gezahlt|bereits bezahlt|erhaltene Anzahlungen|erhaltene Anzahlung"
            "|geleistete Anzahlung|Anzahlungen|Anzahlung|Vorauszahlung|gezahlter Betrag",
            fr="montant déjà payé|déjà payé|déjà réglé|acompte versé|acomptes versés|acompte|montant payé|montant réglé",
            es="importe pagado|anticipo|a cuenta|pagado|entregado a cuenta",
            ko="선수금|선급금|기납부액",
            nl="reeds betaald|reeds voldaan|aanbetaling|vooruitbetaald",
            it="acconto versato|già pagato|acconto|importo pagato",
        ),
    ] = Field(None, description="What was paid before the invoice was issued, without sign")
    rounding: Annotated[
        Decimal | None,
        Labels(
            en="rounding adjustment|rounding amount|rounding",
            de="Rundungsbetrag|Rundungsdifferenz|Rundung",
            fr="montant d'arrondi|arrondi",
            es="importe de redondeo|redondeo",
            ko="단수조정|절사",
            nl="afrondingsverschil|afronding",
            it="arrotondamento",
        ),
    ] = Field(None, description="Amount added to round what is due, with its sign")
    amount_due: Annotated[
        Decimal | None,
        Labels(
            en="total amount due|total due|amount due|balance due|amount payable|total payable|amount to pay|net amount due|please pay"
            "|outstanding amount|due payable|to pay|balance",
            de="fälliger Gesamtbetrag|fälliger Betrag|zu zahlender Betrag|zu zahlender Gesamtbetrag|noch zu zahlen|Zahlbetrag"
            "|Zahlungsbetrag|offener Betrag|Restbetrag|Restforderung|zu überweisender Betrag|zu überweisen|Überweisungsbetrag"
            "|zu zahlen",
            fr="net à payer TTC|net à payer|montant à payer|montant à régler|total à payer|reste à payer|solde à payer|solde dû|montant dû",
            es="total a pagar|importe a pagar|líquido a pagar|importe pendiente|saldo pendiente|a pagar",
            ko="납부할 금액|결제금액|청구액|지불금액|미수금",
            nl="totaal te betalen|te betalen bedrag|nog te betalen|openstaand bedrag|te betalen",
            it="totale da pagare|totale dovuto|importo da pagare|netto a pagare|saldo dovuto|da pagare",
        ),
    ] = Field(None, description="What remains to be paid; the gross total where the invoice prints no other amount")
    taxes: list[Tax] = Field(
        default_factory=list,
        description="The invoice's own summary of tax, one entry for each rate; empty where no such summary is printed",
    )
    iban: Annotated[
        str | None,
        Kind("iban"),
        Labels(en="IBAN", de="IBAN", fr="IBAN", es="IBAN", ko="IBAN", nl="IBAN", it="IBAN"),
    ] = Field(None, description="IBAN of the account to pay to, without blanks")
    payment_terms: Annotated[
        str | None,
        Kind("text"),
        Labels(
            en="terms of payment|payment terms|payment conditions|terms",
            de="Zahlungsbedingungen|Zahlungsbedingung|Zahlungskonditionen|Zahlungskondition",
            fr="conditions de règlement|conditions de paiement|modalités de paiement|modalités de règlement",
            es="condiciones de pago|términos de pago|forma de pago",
            ko="결제조건|지급조건|대금지급조건",
            nl="betalingsvoorwaarden|betalingsconditie|betaaltermijn",
            it="condizioni di pagamento|termini di pagamento|modalità di pagamento",
        ),
    ] = Field(None, description="When and how to pay, with any discount for early payment, as printed")
