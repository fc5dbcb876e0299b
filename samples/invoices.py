"""What an invoice says, before anyone prints it, and the data that a right reading of it gives. Knows no layout."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Party:
    """Who sells or buys."""

    name: str
    street: str
    town: str
    tax_id: str | None = None

    def expected(self) -> dict[str, Any]:
        return {"name": self.name, "address": f"{self.street}, {self.town}", "tax_id": self.tax_id and self.tax_id.replace(" ", "")}


@dataclass(frozen=True)
class Item:
    """A position; the description's lines are printed below one another."""

    description: tuple[str, ...]
    quantity: str
    unit: str
    unit_price: str
    tax_rate: str

    @property
    def amount(self) -> Decimal:
        return (Decimal(self.quantity) * Decimal(self.unit_price)).quantize(CENT, ROUND_HALF_UP)

    def expected(self, *, rate: bool = True) -> dict[str, Any]:
        return {
            "description": " ".join(self.description),
            "quantity": self.quantity,
            "unit_price": self.unit_price,
            "amount": str(self.amount),
            "tax_rate": self.tax_rate if rate else None,
        }


@dataclass(frozen=True)
class Invoice:
    """What an invoice says, before it is laid out."""

    number: str
    issued: str
    due: str
    currency: str
    seller: Party
    buyer: Party
    items: tuple[Item, ...]
    iban: str | None = None
    delivered: str | None = None
    order: str | None = None
    terms: str | None = None
    charge: str | None = None

    @property
    def net(self) -> Decimal:
        return sum((item.amount for item in self.items), Decimal(self.charge or 0))

    def taxes(self) -> list[tuple[str, Decimal, Decimal]]:
        """Rate, base and tax of every rate; what is charged on top has the first position's rate."""
        rates = sorted({item.tax_rate for item in self.items}, key=Decimal, reverse=True)
        bases = {rate: sum((item.amount for item in self.items if item.tax_rate == rate), Decimal(0)) for rate in rates}
        bases[self.items[0].tax_rate] += Decimal(self.charge or 0)
        return [(rate, bases[rate], (bases[rate] * Decimal(rate) / 100).quantize(CENT, ROUND_HALF_UP)) for rate in rates]

    @property
    def tax(self) -> Decimal:
        return sum((tax for _, _, tax in self.taxes()), Decimal(0))

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax

    def expected(self, *, rates: bool = True, summary: bool = False) -> dict[str, Any]:
        """The `data` of a right reading; `rates`: the rows print their tax rate, `summary`: a table of tax rates is printed."""
        return {
            "invoice_number": self.number,
            "issue_date": self.issued,
            "due_date": self.due,
            "delivery_date": self.delivered,
            "order_number": self.order,
            "currency": self.currency,
            "seller": self.seller.expected(),
            "buyer": self.buyer.expected(),
            "line_items": [item.expected(rate=rates) for item in self.items],
            "charge_total": self.charge,
            "allowance_total": None,
            "net_total": str(self.net),
            "tax_total": str(self.tax),
            "gross_total": str(self.gross),
            "prepaid_amount": None,
            "rounding": None,
            "amount_due": str(self.gross),
            "taxes": [{"rate": rate, "base": str(base), "amount": str(tax)} for rate, base, tax in self.taxes()] if summary else [],
            "iban": self.iban and self.iban.replace(" ", ""),
            "payment_terms": self.terms,
        }
