"""Words that documents use, as data: labels of what no schema asked for, legal forms, streets, salutations, the sides of a deal.

Knows languages, no field, page or document.
"""

from __future__ import annotations

import re

from docpipe.values.text import fold


def _folded(text: str) -> frozenset[str]:
    return frozenset(fold(part) for part in text.split("|"))


# Labels of common values. Where the schema does not ask for one of them, its value belongs to it all the same and to no other field.
DISTRACTORS = _folded(
    "invoice|facture|rechnung|factuur|factura|fattura|address|ship to|delivery address|lieferadresse|lieferanschrift|warenempfänger"
    "|adresse de livraison|dirección de entrega|afleveradres|sub total|subtotal|total qty|total quantity|total item|total items|qty"
    "|quantity|item|items|discount|total discount|change|change due|cash|tendered|cash tendered|paid|rounding|rounding adj"
    "|rounding adjustment|round adj|gst amount|total gst|tax amt|tax amount|gst summary|total tax|tax total|total savings|savings"
    "|service charge|unit price|price|amount|rate|spots|total spots|net amount|agency commission|agency comm|commission|time|phone|tel|fax"
    "|email|page|print date|printed|printed on|cashier|table|order date|delivery date|due date|start date|end date|original date"
    "|alt order|alt order number|estimate|estimate number|kundennummer|kunden nr|kundennr|bestell nr|bestellnummer|bestelldatum"
    "|lieferschein nr|lieferscheinnummer|lieferschein datum|leistungsdatum|lieferdatum|liefer und leistungsdatum|auftrag nr"
    "|auftragsnummer|auftragsdatum|order number|order no|order id|po number|customer number|customer no|customer id|client number"
    "|account number|account no|reference|ref no|our reference|your reference|unser zeichen|ihr zeichen|gst reg no|gst no|gst id"
    "|co reg no|company reg no|registration no|registration number|roc no|steuernummer|steuer nr|hrb|hra|telefon|telefax|mobil|menge"
    "|preis|einzelpreis|basisbetrag|rabatt|skonto|zuschlag|abschlag|numéro client|n° client|code client|date de commande"
    "|date de livraison|bon de commande|numéro de commande|acompte|déjà payé|total ht|total lines|count|points|balance|card no"
    "|approval code|terminal|zip|zip code|expires|omb no|year of birth|date of birth|invoice date|invoice no|zeitraum"
    "|leistungszeitraum|nettopreis|bank|bank name|bic|swift|swift code|blz|kontonummer|kto|sort code|routing number|vertragsnummer"
    "|contract number|lieferantennummer|supplier number|vendor number|quote number|quotation number|angebotsnummer|projekt|project"
    "|delivery note|delivery note number|article number|artikelnummer|art nr|sku|siret|siren|rcs|kvk|terms|payment terms|zahlungsziel"
    "|sales rep|account executive|salesperson|bearbeiter|sachbearbeiter|ansprechpartner|contact|serial number|tracking number|agency"
    "|product|station|market|demo|billing period|billing cycle|period|website|web|internet|hotline|statement date|transaction id"
)

# What heads a party's block of lines, for schemas whose groups carry no section labels of their own.
ISSUER_WORDS = _folded("seller|supplier|vendor|issuer|provider|merchant|store|shop|sender|from|payee|creditor|contractor|biller")
RECIPIENT_WORDS = _folded("buyer|customer|client|recipient|purchaser|bill to|billto|payer|debtor|receiver|to|consignee|debitor")
MERCHANT_WORDS = _folded("merchant|store|shop|outlet|restaurant")
OTHER_PARTY = _folded(
    "ship to|shipped to|shipping address|deliver to|delivered to|delivery address|delivery to|delivery location|consignee|ship from"
    "|lieferadresse|lieferanschrift|warenempfänger|lieferung an|abweichende lieferadresse|leistungsort|lieferort|adresse de livraison"
    "|livré à|livrer à|lieu de livraison|dirección de entrega|dirección de envío|enviar a|afleveradres|bezorgadres|verzendadres"
    "|indirizzo di spedizione|destinazione merce|luogo di consegna|배송지|bank details|bankverbindung|coordonnées bancaires|payment to"
    "|service address|site address|remittance address|return address|agency|station"
)

LEGAL_FORM = re.compile(
    r"(?<!\w)(?:gmbh|ggmbh|mbh|ag|kg|kgaa|ohg|gbr|ug|e\.?\s?k\.?|e\.?\s?v\.?|a\.\s?g\.|ltd|limited|inc|incorporated|llc|llp|lp|corp|corporation"
    r"|s\.?\s?a\.?\s?r\.?\s?l|s\.\s?a|sa|sas|sasu|eurl|sarl|b\.?\s?v|n\.?\s?v|vof|sdn|bhd|s/b|plc|pty|co|oy|oyj|ab|as|aps|a/s|srl|s\.?r\.?l"
    r"|spa|s\.?p\.?a|s\.?l|s\.?l\.?u|sp\. z o\.o|kft|zrt|d\.o\.o|a\.s|s\.r\.o|company|enterprises?|trading|foundation|association"
    r"|verein|stiftung|genossenschaft|eg|주식회사|\(주\))(?![\w])\.?",
    re.IGNORECASE,
)
# Ends the line of a name for good; the short forms above are also ordinary letters inside a line.
LEGAL_END = re.compile(
    r"(?:\bbhd|\bgmbh|\bltd|\blimited|\binc|\bllc|\bs/b|\benterprises?|\btrading|\bb\.?v|\bcorp|\bpte|\bsarl|\bsas|\bag|\bkg|\bco)\W*$",
    re.IGNORECASE,
)
SHOP_WORD = re.compile(
    r"\b(restaurant|restoran|store|stores|mart|market|supermarket|hypermarket|cafe|kafe|bakery|hardware|pharmacy|bookshop)\b", re.IGNORECASE
)
SALUTATION = re.compile(
    r"(?:z\.?\s?hd\.?\s+|attn\.?:?\s+|att:\s+)?(herrn?|frau|firma|fa\.|familie|mr|mrs|ms|miss|dr|mme|mlle|monsieur|madame|sr|sra|company|dhr|mevr|an)\b\.?:?",
    re.IGNORECASE,
)
CONTACT_LINE = re.compile(
    r"^\s*(?:z\.?\s?hd\b|z\.\s?h\b|attn\b|attention\b|att\b|att:|c/o\b|à l['’]attention|contact\b|ansprechpartner\b|dept\b|abteilung\b"
    r"|abt\.|t\.a\.v|kontakt\b)",
    re.IGNORECASE,
)
# A line that is no part of a name or an address: a phone number, a mail address, a number of a register, a bank account, a heading.
NOT_ADDRESS = re.compile(
    r"\b(tel|téléphone|telefon|phone|fax|telefax|mobil|mobile|e-?mail|www|http|iban|bic|swift|ust|vat|tva|btw|steuer|steuernummer|hrb|hra"
    r"|siret|siren|rcs|gst|gstin|abn|ein|tax id|kvk|registergericht|amtsgericht|geschäftsführer|geschäftsführung|konto|blz|website"
    r"|nif|cif|gln|lief-?nr|kunden-?nr|order|invoice|rechnung|facture|commande|nummer|number)\b|@|\bn[ro]\.?\s*:?\s*\d{4,}",
    re.IGNORECASE,
)
STREET = re.compile(
    r"\b(no|lot|jalan|jln|jl|lorong|taman|tmn|street|st|road|rd|avenue|ave|lane|drive|dr|blvd|boulevard|floor|level|unit|suite|block|blok|plaza"
    r"|mall|kampung|kg(?=\.?\s+[^\W\d])|persiaran|bandar|seksyen|section|pt(?=\.?\s*\d)|batu|km|rue|chemin|place|weg|platz|allee|gasse|ring|damm|ufer|calle|avenida|via"
    r"|piazza|p\.?\s?o\.?\s?box|postfach|postbus|bp|square|terrace|parkway|highway|hwy|crescent|building|tower|dataran|pusat|medan|wisma|menara"
    r"|kompleks|desa|simpang|lebuh|lebuhraya|pekan|jaya)\b"
    r"|(?:str\.|stra(?:ß|ss)e|weg|platz|allee|gasse|laan|straat|plein|kade)\b|\b\d{5}\b",
    re.IGNORECASE,
)
# The line that carries a postal code with its place, by country form.
_POSTAL = re.compile(
    r"(?:\b(?:[A-Z]{1,3}[- ])?\d{5}\s+[^\W\d][\w.\-']+)"  # 12345 Town
    r"|(?:\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b)"  # AB1 2CD
    r"|(?:\b\d{4}\s?[A-Z]{2}\s+[A-Z]\w)"  # 1234 AB Town
    r"|(?:,?\s[A-Z]{2}\.?,?\s+\d{5}(?:-\d{4})?\b)"  # Town, ST 12345
    r"|(?:\b(?:A|CH|B|DK|L|AT|BE|LU)[- ]?\d{4}\s+[A-Z][\w.\-']+)"  # A-1234 Town
    r"|(?:\b[A-Z]\d[A-Z]\s?\d[A-Z]\d\b)"  # Canadian A1B 2C3
    r"|(?:,\s+[A-Z][a-z]+(?:\s[A-Z][a-z]+)?\s+\d{5}(?:-\d{4})?$)"  # Town, Statename 12345
    r"|(?:^\d{3}\s\d{2}\s+[A-ZÄÖÅ][^\W\d]+)"  # 123 45 Town
)
# Forms that a street with its number also has.
_WEAK_POSTAL = re.compile(
    r"(?:^\d{4}\s+[A-ZÄÖÜ][^\W\d]{2,}[\w.\- ]*$)"  # 1234 Town
    r"|(?:^[^\W\d]{3,}[^\W\d.\- ]*(?:[ -][^\W\d]{2,}){0,3}[,-]?\s+(?:[A-Z]{2,3}\s+)?\d{4,6}$)"  # Town 123456, Town NSW 2000
    r"|(?:\b\d{3}[- ]\d{3}\b\s*,?\s*(?:india)?$)"  # 560 103
)
# Ends of labels: by themselves they are what is left of one, never a value.
OTHERS_DOCUMENT = re.compile(r"^\W*(?:zu|zur|zum|ihr|ihre|your|votre|uw|su|vs|vostro|ref|re|betr|betreff|against|gegen)\b", re.IGNORECASE)
LABEL_NOUNS = _folded(
    "code|name|number|no|id|type|date|address|title|description|reference|ref|nr|nummer|datum|nom|numéro|adresse|anschrift"
)
# Labels that only work inside a sentence, right before the value: `Invoice 17 of 3 May`.
INLINE = _folded("vom|du|le|am|of|on|dated|del|van|from|by|issued")
# Names the kind of document, alone or as the end of a compound.
DOCUMENT_WORD = re.compile(
    r"(?:invoice|rechnung|facture|factura|fattura|factuur|gutschrift|credit note|bill|receipt|beleg|avoir|quittung|contract|order|angebot"
    r"|quote)\b",
    re.IGNORECASE,
)
NUMBER_WORDS = _folded("no|nr|number|num|nummer|numéro|numero|#|núm|nº")
# Heads of the columns of billed positions: what stands below them is no total.
ITEM_HEADERS = _folded(
    "description|item description|item|items|product|products|article|service|details|particulars|qty|quantity|hours|units|unit price|price"
    "|price each|rate|unit|bezeichnung|beschreibung|artikelbezeichnung|artikel|leistung|produkt|menge|anzahl|einzelpreis|stückpreis|preis"
    "|e preis|einheit|pos|position|désignation|libellé|quantité|qté|prix unitaire|pu ht|p u ht|prix|descripción|concepto|cantidad"
    "|precio unitario|precio|omschrijving|aantal|prijs|stukprijs|descrizione|quantità|prezzo unitario|prezzo|품목|품명|수량|단가|no|sku"
    "|line|ln|day|spots|length|art nr|artikel nr|nettopreis|vat|mwst|ust|tva|btw|tax|discount|rabatt|remise"
)
WEAK_ITEM_HEADERS = _folded("no|line|ln|day|length|vat|mwst|ust|tva|btw|tax|discount|rabatt|remise|pos|position|unit|details|rate|service")
COUNTRY = _folded(
    "germany|deutschland|de|allemagne|france|frankreich|fr|austria|österreich|at|switzerland|schweiz|suisse|ch|united kingdom|uk|gb"
    "|great britain|england|ireland|netherlands|nederland|the netherlands|nl|belgium|belgien|belgique|be|luxembourg|italy|italia"
    "|spain|españa|portugal|poland|polska|united states|united states of america|usa|us|u s a|canada|australia|malaysia|singapore|india"
    "|denmark|danmark|sweden|norway|finland|czech republic|korea|japan|china"
)
# A receipt's header line that is neither name nor address.
RECEIPT_STOP = re.compile(
    r"\b(tel|fax|phone|ph|hp|gst|sst|reg|roc|co\.?\s?no|company no|invoice|receipt|cashier|date|time|table|bill|email|e-mail|www|http|tax"
    r"|cash|member|order|served|counter|doc|customer|welcome|thank|website|facebook|gstin|to|tin|vat|ust|uid|abn|ein|siret|rechnung|quittung"
    r"|bon|datum|ticket|caisse|사업자|대표|전화|영수증)\b|@|[:：]\s*\d|^\W*\(?\s*\d{4,}\s?-?\s?[A-Z]?\s*\)?\W*$",
    re.IGNORECASE,
)
REGISTER_NUMBER = re.compile(
    r"[\(\[]?\s*(?:co(?:mpany)?\.?\s*(?:reg)?\.?\s*(?:no)?\.?\s*:?\s*|roc\s*(?:no)?\.?\s*:?\s*|reg\.?\s*no\.?\s*:?\s*)?\(?\d{5,}\s?-\s?[A-Z0-9]\)?\s*[\)\]]?",
    re.IGNORECASE,
)
PHONE_TAIL = re.compile(r"\b(?:tel|fax|phone|hp|gst)\b", re.IGNORECASE)
TOTAL_WORD = re.compile(r"total|summe|gesamt|totaux|totaal|importe|합계", re.IGNORECASE)
ROUNDING_WORD = re.compile(r"round|pembulatan|rundung|arrondi|redondeo|afronding", re.IGNORECASE)
# What joins the first and the last day of a period.
RANGE_JOINT = re.compile(r"\s*(?:-|–|—|~|to|thru|through|until|bis|au|al|tot|hasta|/)\s*", re.IGNORECASE)
MAIL_HOSTS = frozenset(
    ("gmail", "googlemail", "hotmail", "outlook", "yahoo", "icloud", "tonline", "free", "orange", "wanadoo", "protonmail")
)
STOP_WORDS = _folded(
    "the|a|an|of|or|and|to|for|in|on|is|as|by|it|when|with|be|its|not|this|that|whose|who|which|was|were|from|at|are|into|what|has|one|only"
    "|other|these|where|there|here|than|then|them|they|their|his|her|he|she|if|any|all|each|such|e|g|eg"
)


def has_postal(line: str) -> bool:
    """The line carries a postal code with its place."""
    return bool(_POSTAL.search(line)) or (bool(_WEAK_POSTAL.search(line)) and not STREET.search(line))
