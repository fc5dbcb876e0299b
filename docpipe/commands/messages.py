"""What the commands say on stderr. Knows errors, no document."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from docpipe import errors
from docpipe.errors import DocpipeError

if TYPE_CHECKING:
    from docpipe.records import Result

INTERNAL = 70


def say(line: str) -> None:
    """One line on stderr; a closed stderr is nobody's error."""
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return


def error_line(problem: BaseException, *, file: str | None = None) -> str:
    """`docpipe: error: CODE: FILE: message (hint)`, always one line: what is not printable stands escaped."""
    if isinstance(problem, DocpipeError):
        return f"docpipe: error: {one_line(str(problem))}"
    where = f"{file}: " if file else ""
    return one_line(f"docpipe: error: internal: {where}{type(problem).__name__}: {problem} (run again with --debug to see where)")


def tell(problem: BaseException, *, file: str | None = None, debug: bool = False) -> int:
    """Say what went wrong, with `debug` where; returns the exit code for it."""
    if debug:
        say("".join(traceback.format_exception(problem)).rstrip())
    say(error_line(problem, file=file))
    return problem.exit_code if isinstance(problem, DocpipeError) else INTERNAL


def failure_of(result: Result[Any]) -> DocpipeError | None:
    """The error that a `failed` result stands for: what its first failed page or its first error names, else FailedError."""
    if result.status != "failed":
        return None
    codes = [page.error for page in result.pages if page.error]
    codes += [issue.code.removesuffix("_failed") for issue in result.issues if issue.severity == "error"]
    kinds = {kind.code: kind for kind in errors.tree()}
    kind = next((kinds[code] for code in codes if code in kinds), errors.FailedError)
    failed = sum(page.status == "failed" for page in result.pages)
    why = next((f": {issue.message}" for issue in result.issues if issue.code == "engine_failed"), "")
    what = f"{failed} of {len(result.pages)} pages failed" if failed else f"nothing of it could be read{why}"
    return kind(what, file=result.document.name, hint=errors.FailedError.default_hint)


def failure_of_pages(said: Sequence[str | None], what: str, *, file: str, hint: str) -> DocpipeError | None:
    """What the first failed page stands for, by the code that its error begins with; `said` are all pages' errors, `what` the pages that
    have one lack."""
    failed = [error for error in said if error]
    if not failed:
        return None
    kinds = {kind.code: kind for kind in errors.tree()}
    problem = kinds.get(failed[0].partition(":")[0], errors.PageError)(f"{len(failed)} of {len(said)} pages have no {what}")
    problem.file, problem.hint = file, hint
    return problem


def one_line(text: str) -> str:
    """The text without line breaks, terminal escapes or broken characters."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode() for char in text)
