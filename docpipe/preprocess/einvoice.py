"""Tells an e-invoice (CII or UBL XML) from any other bytes by its root element. Reads none of it."""

from __future__ import annotations

import re

NAMES = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml", "order-x.xml")
_ROOT = re.compile(r"<(?:[\w.-]+:)?(CrossIndustryInvoice|CrossIndustryDocument|Invoice|CreditNote)[\s>][^>]*", re.IGNORECASE)
_UBL = re.compile(r"urn:oasis:names:specification:ubl:schema:xsd:(?:Invoice|CreditNote)-2")
_SKIPPED = re.compile(r"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*>", re.DOTALL)


def is_einvoice(content: bytes) -> bool:
    """Whether XML that starts with these bytes has the root element of an invoice: CII, its ZUGFeRD 1 forerunner, or UBL 2."""
    text = _SKIPPED.sub("", _text(content[:8192])).lstrip("\ufeff \t\r\n")
    root = _ROOT.match(text)
    if root is None:
        return False
    return root[1].startswith("CrossIndustry") or _UBL.search(root[0]) is not None


def _text(head: bytes) -> str:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head[: len(head) // 2 * 2].decode("utf-16", "replace")
    return head.decode("utf-8", "replace")
