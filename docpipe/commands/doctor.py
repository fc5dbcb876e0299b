"""Look at all that docpipe needs: versions, OCR, and the queue's store, ledger, broker and workers. Says what to do where one is not well.

Exit code 0 where all that is needed works, else 30. Needs no queue: what is not installed is said to be so.
"""

from __future__ import annotations

import argparse

from docpipe.commands.messages import one_line
from docpipe.commands.queue import put
from docpipe.errors import EngineError

HELP = "check that everything docpipe needs is here and works"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--backend", metavar="NAME", help="ask this backend's model five short questions, and say what it really does")


def main(arguments: argparse.Namespace) -> int:
    """Print one line per part."""
    from docpipe.doctor import examine
    from docpipe.settings import read_settings

    sick = []
    for finding in examine(read_settings(), backend=arguments.backend):
        sick += [finding.part] if finding.needed and not finding.well else []
        mark = "ok" if finding.well else "NOT WELL" if finding.needed else "not there"
        hint = f" ({finding.hint})" if finding.hint else ""
        put(finding.model_dump_json() if arguments.json else one_line(f"{finding.part:<9} {mark:<9} {finding.said}{hint}"))
    if sick:
        raise EngineError(f"{', '.join(sick)}: not well", hint="the lines above say what to do")
    return 0
