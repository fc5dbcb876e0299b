"""One file, several documents: where each begins, by what the pages show or as asked. Knows pages, words and verdicts, opens no file."""

from __future__ import annotations

from docpipe.splitting.codes import DPI, SEPARATORS, Code, codes_of, separator_of, wants_codes
from docpipe.splitting.cutting import Split, cut, cut_as_asked
from docpipe.splitting.plan import Plan, read_plan
from docpipe.splitting.traits import Sheet

__all__ = [
    "DPI",
    "SEPARATORS",
    "Code",
    "Plan",
    "Sheet",
    "Split",
    "codes_of",
    "cut",
    "cut_as_asked",
    "read_plan",
    "separator_of",
    "wants_codes",
]
