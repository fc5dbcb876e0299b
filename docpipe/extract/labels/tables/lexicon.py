"""What is printed over table columns and beside totals, as data: role -> labels in many languages, `|` between.

A schema's own labels come on top of these. Roles that nobody asks for matter as much as the wanted ones: they keep their columns away.
"""

from __future__ import annotations

COLUMNS: dict[str, str] = {
    "position": (
        "pos|position|nr|no|#|lfd nr|lfd|item no|line|line no|line #|ligne|regel|poz|linea|num|s no|sr no|sl no|sl|*line|rivi|rad|radnr"
        "|riga|n|lp|l p|番号|순번|번호|no of item|pozycja|sira|poradi|položka č|row|zeile"
    ),
    "sku": (
        "art nr|artikelnr|artikelnummer|artikel nr|art nr lieferant|gtin|ean|sku|item code|code|ref|reference|product code|material"
        "|materialnummer|codigo|codice|article no|article number|item number|item no|part no|part number|part #|hsn|hsn sac|hsn code"
        "|hs code|art no|artnr|item #|item id|product id|product no|referencia|referenz|réf|bestellnr|bestellnummer|model|model no|upc"
        "|isbn|tuotenro|varenr|vare nr|artnr lieferant|kod|cod|cod articolo|art|품번|코드|商品コード|numéro d'article|artikelcode"
        "|catalog no|stock code|catalogue no"
    ),
    "description": (
        "description|beschreibung|bezeichnung|artikelbezeichnung|artikel|produkt|product|item|items|leistung|leistungen|designation"
        "|libelle|article|omschrijving|descripcion|concepto|descrizione|descricao|details|service|services|title|text"
        "|material beschreibung|product title|item description|product description|dienstleistung|benennung|opis|nazwa|beskrivning"
        "|beskrivelse|품목|품명|내역|상품명|particulars|activity|work description|description of goods|description of services|produit"
        "|prestation|prestations|goods|articulo|producto|servicio|detalle|articolo|prodotto|servizio|descricao do produto|discriminacao"
        "|benamning|varubeskrivning|nimike|kuvaus|tuote|megnevezes|popis|nazev|denumire|aciklama|urun|商品名|品名|摘要|项目|名称|品目"
        "|nazwa towaru lub uslugi|nazwa towaru|objet|naam|product name|name|posten|positionsbezeichnung|leistungsbeschreibung"
        "|produktbeschreibung|warenbezeichnung|item name|item details|product details|tätigkeit|tatigkeit|gegenstand|artikelbeschreibung"
        "|merchandise|charge description|descriptions|denominazione|charges description|menu|desc"
    ),
    "quantity": (
        "quantity|qty|menge|anzahl|quantite|qte|aantal|cantidad|cant|quantita|qta|q ta|quantidade|qtd|qtde|units|hours|hrs|stunden|std"
        "|stk|ilosc|antal|antall|수량|count|unit qty|nombre|pcs|stuck|spots|heures|uds|unidades|ore|horas|maara|kpl|mennyiseg|mnozstvi"
        "|cantitate|miktar|adet|数量|quantity shipped|qty shipped|shipped|ordered|qty ordered|nights|days qty|no of units|number"
        "|hoeveelheid|uren|aantal uren|gelieferte menge|liefermenge|quantity ordered|anzahl stunden|lkm|q tty|qnt|szt"
    ),
    "unit": (
        "unit|einheit|unite|eenheid|unidad|uom|me|einh|jm|j m|enhet|unita|unidade|단위|yks|单位|単位|units of measure|unit of measure|u m"
        "|um|mengeneinheit|enhed|규격|spec|mertekegyseg|birim"
    ),
    "unit_price": (
        "unit price|price|preis|einzelpreis|nettopreis|vk preis|stuckpreis|prix unitaire|prix|p u|p u ht|pu|pu ht|prix unitaire ht"
        "|prijs per stuk|prijs|stukprijs|precio|precio unitario|prezzo|prezzo unitario|preco|preco unitario|valor unitario|rate|e preis"
        "|ep|price each|cost|unit cost|price per unit|cena|cena netto|cena jedn|cena jednostkowa|cena jedn netto|a pris|pris|단가"
        "|unit price net|einzelpreis netto|tarif|tarief|eenheidsprijs|each|unit rate|hourly rate|price unit|item price|net price"
        "|list price|einzel|preis einheit|preis pro einheit|stundensatz|styckpris|enhetspris|enhedspris|stykpris|hinta|yksikkohinta"
        "|a hinta|egysegar|jednotkova cena|pret unitar|birim fiyat|単価|单价|precio ud|p unitario|p unit|importe unitario|valor unit"
        "|unitario|prix u|unitprice|satz|unit value|per unit|einzel netto|preis netto|netto einzelpreis|einzelbetrag|verkaufspreis"
        "|ek preis|stkpreis"
    ),
    "gross_price": "bruttopreis|einzelpreis brutto|gross price|prix brut|prix unitaire ttc|p u ttc|pu ttc|msrp|rrp|listenpreis",
    "discount": (
        "discount|rabatt|rem|remise|korting|descuento|dto|sconto|desconto|disc|rabatt %|nachlass|rabat|discount %|disc %|할인|alennus|ale"
        "|rab|kedvezmeny|sleva|割引|zu abschlag|abschlag|zu abschlage"
    ),
    "tax_rate": (
        "tax|vat|ust|mwst|tva|btw|iva|steuersatz|tax rate|vat rate|vat %|tax %|mwst %|ust %|% tva|taux tva|taux|gst|moms|steuer"
        "|stawka vat|% mwst|ust satz|mwst satz|btw %|% iva|iva %|tipo iva|aliquota|aliquota iva|taux de tva|tva %|gst %|mva|alv|alv %|afa"
        "|dph|kdv|세율|부가세율|税率|tax code|vat code|mwst code|steuercode|code tva|sales tax %|ust in %|mwst in %|umsatzsteuersatz"
        "|umsatzsteuer|btw tarief|moms %|hst|igst|cgst|sgst|igst %|cgst %|sgst %|mehrwertsteuer"
    ),
    "tax_amount": (
        "tax amount|vat amount|steuerbetrag|mwst betrag|ust betrag|montant tva|btw bedrag|importe iva|세액|부가세|tva montant|cuota"
        "|cuota iva|kwota vat|momsbelob|gst amount|tax amt|vat amt|importo iva|imposta|umsatzsteuerbetrag|steuer betrag|tax due|mvabelop"
        "|消費税|税额|wartosc vat"
    ),
    "amount": (
        "amount|total|summe|betrag|gesamt|gesamtbetrag|gesamtpreis|nettobetrag|nettowert|zeilenbetrag|positionsbetrag|line total"
        "|net amount|montant|montant ht|total ht|prix ht|prix total|prijs incl btw|totaal|bedrag|importe|importo|totale|valor|valor total"
        "|wartosc|wartosc netto|belopp|belob|금액|공급가액|합계|total price|line amount|extended price|ext price|extended|subtotal"
        "|sub total|net price total|positions betrag|total net|netto|prijs excl btw|g preis|gp|extension|bruttobetrag|wert|totaal excl"
        "|extended amount|line value|value|net value|total amount|total cost|total eur|betrag eur|preis eur|amount due|gesamtnetto"
        "|gesamt netto|summe netto|netto gesamt|positionspreis|positionssumme|montant net|total ttc|montant ttc|prix net|importe total"
        "|total neto|prezzo totale|importo netto|totale riga|preco total|total liquido|summa|sum|yhteensa|osszesen|netto ertek|ertek"
        "|celkem|cena celkem|valoare|tutar|金額|金额|小計|sales|regelbedrag|total excl|nettosumme|total value|amount eur|amount usd"
        "|line net amount|net total|net line total|gross amount|charge|charges|fee|fees|totaalprijs|totaalbedrag|total euro|gesamteuro"
        "|ges preis|rechnungsbetrag|positionswert|wert eur|total line|betrag netto|linetotal|beløb|belop|prix total ht"
    ),
    "date": (
        "date|datum|start date|end date|air date|fecha|data|days|time|week|leistungsdatum|lieferdatum|service date|period"
        "|zeitraum|leistungszeitraum|periode|day|tag|일자|날짜|월일|日付|日期|pvm|dato|start|end"
    ),
    "base": (
        "basisbetrag|base|warenwert|bemessungsgrundlage|taxable amount|taxe|taxable value|base imponible|base ht|imponibile"
        "|grondslag|steuerbasis|tax base|base tva|maatstaf|podstawa|assessable value|netto basis|goods value|steuergrundlage|base imp"
    ),
    "paid": "payment|paid|zahlung|reglement|teilzahlung|falligkeit|due date|pago|pagamento|betaling|balance|skonto|payments|solde",
}

TOTALS: dict[str, str] = {
    "net": (
        "total excl of gst|total excluding gst|total sales excluding gst|total sales excl gst|net amt|total excl gst|total before gst"
        "|total exclude gst|subtotal excl gst|amount excl gst|total ex tax|subtotal before tax|total net of tax|netto|nettobetrag"
        "|summe netto|zwischensumme|subtotal|sub total|net total|total net|total ht|total hors taxe|total hors taxes|montant ht"
        "|net amount|rechnungssumme ohne ust|positionssumme|nettosumme|exclusief btw|excl btw|totaal excl btw|subtotaal|total before tax"
        "|base imponible|imponibile|totale imponibile|total exkl|net|gesamt netto|total excl vat|total excluding vat|total excl tax"
        "|subtotal excl vat|amount excl vat|gesamtbetrag netto|summe|charges|공급가액|소계|nettowert|suma|total sin iva|total neto"
        "|total montant ht|warenwert netto|sous total|sous total ht|net value|taxable amount|taxable value|total net amount"
        "|net invoice amount|total ex vat|total ex gst|summe positionen|net invoice total|goods total|total goods|warenwert"
        "|gesamtnettobetrag|nettogesamtbetrag|nettogesamt|rechnungsbetrag netto|summa netto|delsumma|razem netto|wartosc netto"
        "|veroton yhteensa|verotonta|netto osszesen|celkem bez dph|total fara tva|ara toplam|小計|税抜金額|合計金額税抜"
        "|total geral sem iva|valor liquido|total liquido|subtotale|totale netto|importo netto|totaal netto|netto totaal"
        "|totaal exclusief btw|gesamtbetrag ohne umsatzsteuer|summe ohne umsatzsteuer|total sum excl vat|untaxed amount|amount before tax"
        "|total taxable|merchandise total|item subtotal|items subtotal|items total|total exclusive of vat|total products"
        "|rechnungssumme netto|steuerpflichtiger betrag|amount ex vat"
    ),
    "tax": (
        "ust|mwst|umsatzsteuer|mehrwertsteuer|steuerbetrag|vat|tax|sales tax|tva|total taxes|total tva|montant tva|iva|btw|gst|moms"
        "|total tax|total vat|zuzugl ust|zzgl mwst|zzgl ust|zuzuglich umsatzsteuer|zuzuglich mwst|zuzuglich mehrwertsteuer|ust gesamt"
        "|vat total|vat amount|tax amount|mwst betrag|ust betrag|plus vat|iva total|세액|부가세|부가가치세|btw bedrag|total btw"
        "|totaal btw|total iva|cgst|sgst|igst|hst|pst|qst|enthaltene versicherungsteuer|imposta|impuesto|cuota iva|importe iva|totale iva"
        "|importo iva|podatek vat|kwota vat|razem vat|mva|alv|afa|dph|kdv|消費税|税额|tax total|total gst|gst amount|service tax"
        "|summe mwst|summe ust|gesamtbetrag umsatzsteuer|umsatzsteuer gesamt|steuer gesamt|steuern|enthaltene mwst"
        "|enthaltene umsatzsteuer|inkl mwst|montant de la tva|taxes|tax due|moms totalt|momsbelob|total des taxes|belastingbedrag"
        "|versicherungsteuer|steuer|zzgl umsatzsteuer|zzgl mehrwertsteuer|inklusive mwst|dont tva|vat payable|estimated tax|gst incl|sst"
        "|service tax 6"
    ),
    "gross": (
        "total incl of gst|total incl gst|total inclusive of gst|total sales incl gst|total sales inclusive gst|total amt incl gst"
        "|total amt|total amt rounded|total amount rounded|rounded amount|total payable amount|net total incl gst|nett"
        "|total after rounding|total rm incl of gst|total with gst|total include gst|total inc gst rounded|gesamtbetrag|gesamtsumme"
        "|bruttosumme|bruttobetrag|total ttc|total|grand total|totaal|invoice total|summe inkl ust|endbetrag|total amount|rechnungsbetrag"
        "|total incl vat|total including vat|total incl tax|total for this invoice|importe total|totale|totale fattura|total factura"
        "|gesamt|합계|합계금액|총금액|총액|montant ttc|total facture|gesamt brutto|brutto|te betalen|total eur|total usd|totaal incl btw"
        "|totaalbedrag|total general|total con iva|totale documento|suma brutto|totals|gross total|gross amount|total gross"
        "|rechnungssumme|rechnungsendbetrag|endsumme|rechnungsbetrag brutto|gesamtbetrag brutto|bruttogesamtbetrag|summe brutto"
        "|total inc gst|total inc vat|total with tax|order total|total invoice|invoice amount|total invoice amount|total sales"
        "|amount total|total general ttc|montant total ttc|total toutes taxes comprises|total iva incluido|total a facturar"
        "|totaal inclusief btw|factuurbedrag|factuurtotaal|totale complessivo|importo totale|razem|razem brutto|do zaplaty|summa"
        "|totalsumma|att betala|i alt|totalt|total incl moms|belob i alt|loppusumma|yhteensa|brutto osszesen|celkem|celkem s dph"
        "|total de plata|total general de plata|genel toplam|合計|合計金額|总计|价税合计|valor total|total geral|total a pagar|sum"
        "|gesamtbetrag inkl mwst|gesamtbetrag inkl ust|total gbp|total chf|amount incl vat|total rm|nett total|rounded total"
        "|total rounded|total inclusive of vat|summe|total sales inclusive of gst|total inclusive gst|total sum|bill total|total bill"
        "|rechnungsgesamtbetrag|final total|total charges|invoice value"
    ),
    "prepaid": (
        "anzahlung|erhaltene anzahlungen|anzahlungen|bereits gezahlt|amount paid|paid|deposit|acompte|acomptes|anticipo|prepaid|less paid"
        "|payments|vorauszahlung|payment received|deja regle|reeds betaald|aanbetaling|acconto|bereits bezahlt|erhaltene anzahlung"
        "|payments received|advance|advance payment|deja paye|montant deja paye|a cuenta|reeds voldaan|voorschot|gezahlter betrag"
        "|less deposit|total paid|zaliczka|zaplacono|paid amount|abschlagszahlung|abschlage gezahlt|acompte verse|forskott|ennakko|eloleg"
        "|zaloha|선수금|geleistete anzahlung|less payments"
    ),
    "due": (
        "zahlbetrag|amount due|balance due|solde a payer|net a payer|zu zahlen|zu zahlender betrag|zu zahlender beitrag|te betalen"
        "|a pagar|total a pagar|total amount due|due payable|total due|somme a payer|balance|reste a payer|zu uberweisen|noch zu zahlen"
        "|openstaand|montant du|totale da pagare|net amount due|payable|due|falliger betrag|restbetrag|amount payable|total payable"
        "|montant a payer|total a payer|solde du|importe a pagar|netto a pagare|da pagare|totaal te betalen|nog te betalen|do zaplaty"
        "|att betala|a betala|maksettava|fizetendo|k uhrade|de plata|odenecek tutar|청구금액|지불금액|ご請求金額|お支払金額|应付金额"
        "|zu zahlender gesamtbetrag|uberweisungsbetrag|zahlungsbetrag|offener rechnungsbetrag|amount to pay|please pay|outstanding"
        "|falliger gesamtbetrag|restforderung|nachzahlung|amount owing|pay this amount|to pay|noch offen|valor a pagar"
    ),
    "open": (
        "offene zahlungen|ausstehende forderung|previous balance|past due|saldo vortrag|offener betrag|balance brought forward"
        "|solde precedent|saldo anterior|previous invoice|alter saldo|openstaand saldo|ancien solde|saldovortrag|opening balance"
    ),
    "charge": (
        "zuschlage|zu abschlag|gesamtbetrag der zuschlage|versand|versandkosten|fracht|shipping|frais de port|verzendkosten|delivery"
        "|freight|portes|spese|handling|port|zuschlag|shipping cost|shipping and handling|shipping handling|s h|postage"
        "|postage and packing|service charge|delivery charge|gastos de envio|spese di spedizione|versand und verpackung|verpackung"
        "|frachtkosten|porto|frakt|fragt|total charges|transport|frais de livraison|koszty wysylki|surcharge|toeslag|svc chg|svc charge"
        "|shipping charges|insurance|zuschlage gesamt|summe zuschlage|fuel surcharge"
    ),
    "allow": (
        "abschlage|gesamtbetrag der abschlage|rabatt|discount|remise|korting|descuento|sconto|nachlass|rechnungsrabatt|credits|gutschrift"
        "|total discount|summe abschlage|gesamtrabatt|rabais|less discount|invoice discount|rabat|alennus|desconto|할인|voucher|coupon"
        "|total savings|sconto totale|discount amount|trade discount|abzug|less|credit"
    ),
    "round": (
        "rounding|rundung|arrondi|afronding|redondeo|arrotondamento|rounding adjustment|rounding adj|round off|rounded off|oresavrundning"
        "|avrundning|rundungsdifferenz|zaokraglenie|rounding amount|bill rounding|절사"
    ),
    "tender": (
        "payment|cash payment|cash paid|amount tendered|total tendered|tunai|baki|change amount|change rm|paid amount cash|cash rm"
        "|balance change|given|cash|change|visa|mastercard|card|ec karte|bar|ruckgeld|wechselgeld|especes|rendu|cambio|efectivo|contant"
        "|pin|wisselgeld|gegeben|tendered|cash tendered|change due|credit card|debit card|received|bargeld|kreditkarte|cb|carte bancaire"
        "|현금|카드|거스름돈|お釣り|お預り|master|nets|amex"
    ),
}

CARRIED = (
    "ubertrag|carried forward|carry forward|brought forward|carried over|a reporter|report|reporte|suma y sigue|riporto|transport"
    "|overbrengen|zwischensumme seite|page subtotal|subtotal page|page total|overdracht|balance forward|seitensumme|sous total page|b f"
    "|c f|suma anterior|a riportare|carried|brought|transporte|seitenubertrag|zwischenubertrag|saldo ubertrag|total carried forward"
    "|이월|reportes|continued|do przeniesienia|z przeniesienia|totaal vorige pagina|zwischensumme ubertrag|ubertrag von seite"
    "|ubertrag auf seite|forts|transporter|transport naar volgende"
)

# Rows that are only said to be part of the row above.
INCLUDED = frozenset(
    {
        "included",
        "inkl",
        "compris",
        "darin",
        "enthalt",
        "di cui",
        "dont",
        "incl",
        "waarvan",
        "inklusiv",
        "inklusive",
        "thereof",
        "of which",
        "inbegrepen",
        "including",
        "davon",
        "enthaltene",
        "incluye",
    }
)

# Parts of compound words (German, Dutch, the Nordic languages) that tell a role where the whole word is in no list.
COLUMN_STEMS: tuple[tuple[str, str], ...] = (
    (r"(einzel|stuck|einheits|stuk|eenheids|enhets|enheds|styck|stk).{0,5}(preis|prijs|pris|betrag)", "unit_price"),
    (
        r"(gesamt|positions|zeilen|total|totaal|regel|rad|linje|end).{0,8}(preis|betrag|summe|wert|netto|prijs|bedrag|pris|belopp|belob|sum)",
        "amount",
    ),
    (r"(artikel|produkt|material|waren|teile|vare|varu|bestell).{0,6}(nr|nummer|code|kod)", "sku"),
    (
        r"(artikel|produkt|leistungs|waren|positions|vare|varu|material).{0,6}(bezeichnung|beschreibung|text|name|omschrijving|beskriv\w+)",
        "description",
    ),
    (r"(liefer|rechnungs|bestell|gesamt)?menge", "quantity"),
    (r"(steuer|mwst|ust|mehrwertsteuer|umsatzsteuer|btw|moms).{0,4}(satz|tarief|sats)", "tax_rate"),
    (r"(steuer|mwst|ust|mehrwertsteuer|umsatzsteuer|btw|moms).{0,4}(betrag|bedrag|belopp|belob)", "tax_amount"),
)
TOTAL_STEMS: tuple[tuple[str, str], ...] = (
    (
        r".*netto.*(betrag|summe|wert|gesamt|total|bedrag|belopp|belob)|.*(betrag|summe|wert|gesamt|total|waren|positions).{0,4}netto|positions.{0,3}(summe|betrag)",
        "net",
    ),
    (
        r".*brutto.*(betrag|summe|wert|gesamt|total)|.*(betrag|summe|gesamt|rechnungs).{0,4}brutto|(gesamt|rechnungs|end).{0,10}(betrag|summe)",
        "gross",
    ),
    (
        r"(gesamt)?(umsatz|mehrwert|mwst|ust|versicherungs?|waren)?.{0,2}steuer.{0,3}(betrag|summe|gesamt)?|(mwst|ust|btw|moms).{0,4}(betrag|summe|gesamt|bedrag|belopp|belob)",
        "tax",
    ),
    (r"(zahl|uberweisungs|rest|forderungs).{0,5}(betrag|summe|forderung)", "due"),
)
