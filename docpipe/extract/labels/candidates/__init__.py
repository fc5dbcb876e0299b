"""Options for one field, by its kind; one file per family of kinds. Knows which file makes what."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from docpipe.extract.labels.candidates.choice import choices
from docpipe.extract.labels.candidates.merchant import merchant_addresses, merchant_names
from docpipe.extract.labels.candidates.party import party_addresses, party_names
from docpipe.extract.labels.candidates.text import texts
from docpipe.extract.labels.candidates.tick import ticks
from docpipe.extract.labels.candidates.typed import currencies, dates, ibans, identifiers, money, quantities, tax_ids, times
from docpipe.extract.labels.phrases import Target
from docpipe.extract.labels.scene import Option, Scene

Maker = Callable[[Scene, Target], Iterable[Option]]

_BY_KIND: dict[str, Maker] = {
    "date": dates, "time": times, "money": money, "quantity": quantities, "rate": quantities, "id": identifiers, "iban": ibans,
    "tax_id": tax_ids, "currency": currencies, "choice": choices, "bool": ticks, "name": texts, "address": texts, "text": texts,
}  # fmt: skip


def options(scene: Scene, target: Target) -> list[Option]:
    """Everything on the pages that the field could be, unscored."""
    return list(_maker(target)(scene, target))


def _maker(target: Target) -> Maker:
    if not target.is_party:
        return _BY_KIND[target.kind]
    if target.side == "merchant":
        return merchant_names if target.kind == "name" else merchant_addresses
    return party_names if target.kind == "name" else party_addresses
