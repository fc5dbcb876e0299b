"""Plain papers made up from a seed, as small firms write them: a title, a few labels or none, some rows, a sum, in six languages.

Invoices, receipts, and what is neither: quotations, orders, delivery notes, reminders, statements, time sheets, letters that speak of
invoices. Nothing here comes from a document; the words are set as in a PDF's text layer.

    python benchmarks/plain_papers.py

prints what the classifier `words` takes them for with the built-in classes, in the two languages of which none were shown to it.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from docpipe.classify import load_classes
from docpipe.classify.words import WordsClassifier
from docpipe.records import Word, Words

WIDTH, HEIGHT = 595.0, 842.0
LEARNT, HELD_BACK = ("en", "de", "fr", "es"), ("it", "nl")
SEED, EACH = 99, 40
# What each kind calls itself, by language, `|` between. `other` prints rows and sums too, `prose` prints none.
TITLES: dict[str, dict[str, str]] = {
    "invoice": {
        "en": "Invoice|Tax Invoice|Sales Invoice|Commercial Invoice|Bill",
        "de": "Rechnung|Abschlagsrechnung|Honorarrechnung|Handwerkerrechnung",
        "fr": "Facture|Facture d'honoraires|Note d'honoraires",
        "es": "Factura|Factura de venta",
        "it": "Fattura|Fattura immediata",
        "nl": "Factuur|Verkoopfactuur",
    },
    "receipt": {
        "en": "Receipt|Sales Receipt|Cash Receipt",
        "de": "Quittung|Kassenbon|Kassenbeleg",
        "fr": "Ticket|Reçu|Ticket de caisse",
        "es": "Ticket|Recibo",
        "it": "Ricevuta|Scontrino",
        "nl": "Kassabon|Bon",
    },
    "other": {
        "en": "Quotation|Quote|Estimate|Purchase Order|Order Confirmation|Sales Order|Payment Reminder|Statement of Account|Price List"
        "|Credit Note|Pro forma Invoice|Expense Report|Time Sheet|Budget|Stock List|Remittance Advice|Donations|Bank Statement",
        "de": "Angebot|Kostenvoranschlag|Bestellung|Auftragsbestätigung|Mahnung|Zahlungserinnerung|Kontoauszug|Preisliste|Gutschrift"
        "|Proforma-Rechnung|Reisekostenabrechnung|Stundenzettel|Inventarliste|Lohnabrechnung|Spenden",
        "fr": "Devis|Bon de commande|Confirmation de commande|Rappel|Relevé de compte|Tarif|Avoir|Note de frais|Budget|Bulletin de paie",
        "es": "Presupuesto|Pedido|Confirmación de pedido|Recordatorio de pago|Estado de cuenta|Nota de crédito|Nómina|Inventario",
        "it": "Preventivo|Offerta|Conferma d'ordine|Sollecito di pagamento|Estratto conto|Nota di credito|Busta paga|Listino prezzi",
        "nl": "Offerte|Bestelling|Orderbevestiging|Herinnering|Rekeningoverzicht|Creditnota|Declaratie|Loonstrook|Prijslijst",
    },
    "prose": {
        "en": "Delivery Note|Packing Slip|Minutes|Agreement|Application Form|Questionnaire|Report|Notice|",
        "de": "Lieferschein|Protokoll|Vertrag|Antrag|Bericht|Fragebogen|Einladung|",
        "fr": "Bon de livraison|Compte rendu|Contrat|Formulaire|Rapport|Convocation|",
        "es": "Albarán|Acta|Contrato|Solicitud|Informe|Convocatoria|",
        "it": "Documento di trasporto|Verbale|Contratto|Modulo|Relazione|Invito|",
        "nl": "Pakbon|Notulen|Overeenkomst|Aanvraag|Verslag|Uitnodiging|",
    },
}
# Labels in the order in which they are drawn.
LABELS: dict[str, dict[str, str]] = {
    "number": {
        "en": "No.|Number|#|Ref|Invoice no.",
        "de": "Nr.|Nummer|Rechnungsnr.",
        "fr": "N°|Numéro|Réf.",
        "es": "N.º|Número|Ref.",
        "it": "N.|Numero",
        "nl": "Nr.|Nummer",
    },
    "date": {"en": "Date|Date:", "de": "Datum|den|Datum:", "fr": "Date|Le|Date :", "es": "Fecha|Fecha:", "it": "Data|Data:", "nl": "Datum"},
    "to": {
        "en": "To:|Bill To|Customer|For|Invoice to|Client:",
        "de": "An|Kunde:|Herrn|Firma",
        "fr": "Client :|Client|À l'attention de",
        "es": "Cliente:|Cliente|Para",
        "it": "Cliente|Spett.le",
        "nl": "Aan|Klant:",
    },
    "rows": {
        "en": "Description Amount|Item Qty Price|Details Total|Hours Rate Amount",
        "de": "Leistung Betrag|Pos. Menge Preis|Bezeichnung Gesamt",
        "fr": "Désignation Montant|Quantité Prix|Description Total",
        "es": "Concepto Importe|Cantidad Precio|Descripción Total",
        "it": "Descrizione Importo|Quantità Prezzo",
        "nl": "Omschrijving Bedrag|Aantal Prijs",
    },
    "net": {
        "en": "Subtotal|Net",
        "de": "Netto|Zwischensumme",
        "fr": "Total HT",
        "es": "Base imponible",
        "it": "Imponibile",
        "nl": "Subtotaal",
    },
    "tax": {
        "en": "VAT|Tax|Sales tax|GST",
        "de": "MwSt.|USt.|19 % MwSt.",
        "fr": "TVA|TVA 20 %",
        "es": "IVA|IVA 21 %",
        "it": "IVA",
        "nl": "BTW",
    },
    "total": {
        "en": "Total|Total due|Amount due|Balance due|To pay|Grand total",
        "de": "Summe|Gesamt|Gesamtbetrag|Betrag|Zu zahlen",
        "fr": "Total|Total TTC|Montant dû|Net à payer",
        "es": "Total|Total a pagar|Importe total",
        "it": "Totale|Totale da pagare|Importo totale",
        "nl": "Totaal|Te betalen|Totaalbedrag",
    },
    "end": {
        "en": "Thank you|Payment within 14 days|Please pay by bank transfer|Due on receipt",
        "de": "Vielen Dank|Zahlbar sofort|Bitte überweisen Sie den Betrag|Zahlbar innerhalb von 14 Tagen",
        "fr": "Merci|Paiement à réception|À régler sous 30 jours",
        "es": "Gracias|Pago al contado|Pago por transferencia",
        "it": "Grazie|Pagamento a vista|Bonifico bancario",
        "nl": "Bedankt|Betaling binnen 14 dagen|Per omgaande te voldoen",
    },
    "paid": {
        "en": "Cash|Card|Change|VISA|Paid by card",
        "de": "Bar|Gegeben|Rückgeld|EC-Karte",
        "fr": "Espèces|Carte|Rendu",
        "es": "Efectivo|Tarjeta|Cambio",
        "it": "Contanti|Resto|Carta",
        "nl": "Contant|Pin|Wisselgeld",
    },
}
SENTENCES = {
    "en": "please find enclosed our invoice of last week|we refer to your order and the total agreed"
    "|thank you for your letter of this month|the amount due was paid in full some weeks ago"
    "|you will receive the bill under separate cover",
    "de": "anbei erhalten Sie unsere Rechnung der letzten Woche|wir danken für Ihren Auftrag und den Betrag|die Summe wurde bereits bezahlt"
    "|bitte beachten Sie das Datum der Lieferung",
    "fr": "veuillez trouver ci-joint notre facture du mois dernier|nous vous remercions de votre commande"
    "|le total a été réglé par virement",
    "es": "adjuntamos nuestra factura de la semana pasada|le agradecemos su pedido y el importe|el total ya fue pagado por transferencia",
    "it": "in allegato trovate la nostra fattura del mese scorso|vi ringraziamo per il vostro ordine|il totale è stato già pagato",
    "nl": "bijgaand vindt u onze factuur van vorige week|wij danken u voor uw bestelling|het totaal is reeds betaald",
}
ENDINGS = {"en": "Ltd|Inc.|& Co|LLC", "de": "GmbH|OHG|e.K.", "fr": "SARL|SA", "es": "S.L.|S.A.", "it": "S.r.l.|S.p.A.", "nl": "B.V.|VOF"}
ROWS = {"invoice": (1, 6), "receipt": (1, 8), "other": (1, 8)}


def main() -> None:
    classifier, classes = WordsClassifier(), load_classes([])
    told = Counter((plain.schema, classifier.judge(plain.words, None, classes).choice) for plain in plain_papers(SEED, EACH, HELD_BACK))
    for (schema, choice), count in sorted(told.items()):
        print(f"{schema} taken for {choice}: {count}")


class Plain(NamedTuple):
    """One page and what it is: `invoice`, `receipt` or `unknown`."""

    schema: str
    language: str
    words: Words


@dataclass
class _Pen:
    """Sets lines from the top down."""

    chance: random.Random
    left: float
    right: float
    size: float
    y: float = 50.0
    words: list[Word] = field(default_factory=list)
    line: int = 0

    def put(self, text: str, *, size: float | None = None, x: float | None = None, down: bool = True) -> None:
        size, x = size or self.size, self.left if x is None else x
        for word in text.split():
            width = 0.52 * size * len(word)
            self.words.append(Word(word, x, self.y - 0.8 * size, x + width, self.y + 0.2 * size, line=self.line))
            x += width + 0.28 * size
        self.line += 1
        if down:
            self.y += 1.4 * size

    def pair(self, label: str, value: str) -> None:
        """A label with its value: beside it, at the right edge, or below."""
        how = self.chance.random()
        if how < 0.5:
            self.put(f"{label} {value}")
        elif how < 0.9:
            self.put(label, down=False)
            self.put(value, x=self.right - 0.52 * self.size * len(value))
        else:
            self.put(label)
            self.put(value)

    def gap(self) -> None:
        self.y += self.chance.uniform(0.5, 2.5) * self.size


def plain_papers(seed: int, each: int, languages: tuple[str, ...]) -> list[Plain]:
    """So many papers of every kind in every language; of what is neither invoice nor receipt, twice two kinds."""
    chance = random.Random(seed)
    return [_paper(chance, kind, language) for language in languages for kind in TITLES for _ in range(each)]


def _paper(chance: random.Random, kind: str, language: str) -> Plain:
    narrow = kind == "receipt" and chance.random() < 0.6
    left = chance.uniform(40, 90)
    width = chance.uniform(140, 220) if narrow else chance.uniform(380, 460)
    pen = _Pen(chance, left, left + width, chance.choice((8.0, 9.0, 10.0, 11.0)))
    title = chance.choice(TITLES[kind][language].split("|"))
    top = [lambda: _letterhead(pen, language), lambda: _title(pen, title, kind, language)]
    for part in top if chance.random() < 0.7 else reversed(top):
        part()
    if kind == "prose":
        _prose(pen, language)
    else:
        _sums(pen, kind, language)
    schema = kind if kind in ("invoice", "receipt") else "unknown"
    return Plain(schema, language, Words(page=1, width=WIDTH, height=HEIGHT, source="text_layer", words=tuple(pen.words)))


def _letterhead(pen: _Pen, language: str) -> None:
    pen.put(_name(pen.chance, language), size=pen.size * pen.chance.choice((1.0, 1.2, 1.6)))
    if pen.chance.random() < 0.8:
        pen.put(f"{_made_up(pen.chance)} {pen.chance.randint(1, 99)}, {pen.chance.randint(1000, 99999)} {_made_up(pen.chance)}")
    if pen.chance.random() < 0.5:
        pen.put(f"Tel {pen.chance.randint(100, 999)} {pen.chance.randint(100000, 999999)}")
    pen.gap()


def _title(pen: _Pen, title: str, kind: str, language: str) -> None:
    chance = pen.chance
    title = title.upper() if chance.random() < 0.4 else title
    number = f" {_label(chance, 'number', language)} {chance.randint(1, 9999)}" if chance.random() < 0.3 else ""
    x = chance.choice((pen.left, pen.left, pen.right - 120, (pen.left + pen.right) / 2 - 40))
    pen.put(title + number, size=pen.size * chance.choice((1.0, 1.3, 1.8, 2.4)), x=max(pen.left, x))
    pen.gap()
    if not number and chance.random() < (0.8 if kind != "prose" else 0.2):
        pen.pair(_label(chance, "number", language), str(chance.randint(1, 99999)))
    if chance.random() < 0.85:
        day = f"{chance.randint(1, 28):02}{chance.choice('./-')}{chance.randint(1, 12):02}{chance.choice('./-')}20{chance.randint(15, 25)}"
        pen.pair(_label(chance, "date", language), day) if chance.random() < 0.7 else pen.put(day)


def _sums(pen: _Pen, kind: str, language: str) -> None:
    chance = pen.chance
    if kind != "receipt" and chance.random() < 0.85:
        if chance.random() < 0.6:
            pen.put(_label(chance, "to", language))
        pen.put(_name(chance, language))
    pen.gap()
    if chance.random() < 0.5:
        pen.put(_label(chance, "rows", language))
    comma = language != "en"
    amounts = [chance.randint(200, 90000) for _ in range(chance.randint(*ROWS[kind]))]
    for amount in amounts:
        pen.pair(" ".join(_made_up(chance) for _ in range(chance.randint(1, 3))), _money(amount, comma))
    tax = sum(amounts) // 5
    if chance.random() < 0.4:
        pen.pair(_label(chance, "net", language), _money(sum(amounts), comma))
    if chance.random() < 0.6:
        pen.pair(_label(chance, "tax", language), _money(tax, comma))
    pen.pair(_label(chance, "total", language), _money(sum(amounts) + tax, comma))
    if kind == "receipt":
        for _ in range(chance.randint(1, 2)):
            pen.pair(_label(chance, "paid", language), _money(sum(amounts) + tax, comma))
    if chance.random() < 0.5:
        pen.put(_label(chance, "end", language))


def _prose(pen: _Pen, language: str) -> None:
    for _ in range(pen.chance.randint(2, 12)):
        pen.put(pen.chance.choice(SENTENCES[language].split("|")) + pen.chance.choice((".", ",", "")))


def _label(chance: random.Random, what: str, language: str) -> str:
    return chance.choice(LABELS[what][language].split("|"))


def _name(chance: random.Random, language: str) -> str:
    return f"{_made_up(chance)} {chance.choice(ENDINGS[language].split('|'))}"


def _made_up(chance: random.Random) -> str:
    """A word of no language."""
    return "".join(chance.choice("bdfgklmnprstvz") + chance.choice("aeiou") for _ in range(chance.choice((2, 3, 3, 4)))).capitalize()


def _money(cents: int, comma: bool) -> str:
    whole, part = divmod(cents, 100)
    return f"{whole},{part:02}" if comma else f"{whole}.{part:02}"


if __name__ == "__main__":
    main()
