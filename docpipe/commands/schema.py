"""Look at schemas: which are built in, what JSON they promise, and what is weak in one.

docpipe schema list
docpipe schema show invoice
docpipe schema check path/to/mine.py:Mine
"""

from __future__ import annotations

import argparse
import json

from docpipe.commands.messages import one_line

HELP = "list, show or check schemas"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    actions = parser.add_subparsers(title="actions", metavar="list|show|check", required=True)
    actions.add_parser("list", help="the built-in schemas").set_defaults(action=_list)
    show = actions.add_parser("show", help="the JSON Schema of the data that a schema gives")
    show.add_argument("schema", metavar="S", help="built-in name, module:Class or path.py:Class")
    show.set_defaults(action=_show)
    check = actions.add_parser("check", help="what is wrong or weak in a schema; exit code 3 where it cannot be used")
    check.add_argument("schema", metavar="S", nargs="+", help="built-in name, module:Class or path.py:Class")
    check.set_defaults(action=_check)


def main(arguments: argparse.Namespace) -> int:
    """Run the action."""
    return int(arguments.action(arguments))


def _list(arguments: argparse.Namespace) -> int:
    from docpipe import plugins
    from docpipe.fields import BUILT_IN, load_schema

    for name in plugins.names(BUILT_IN):
        schema, _ = load_schema(name)
        _print(f"{name:<16} {(schema.__doc__ or '').strip().splitlines()[0]}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from docpipe.fields import load_schema

    schema, _ = load_schema(arguments.schema)
    _print(json.dumps(schema.model_json_schema(mode="serialization"), indent=2, ensure_ascii=False))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from pydantic import BaseModel

    from docpipe import plugins
    from docpipe.errors import SchemaError
    from docpipe.fields import BUILT_IN
    from docpipe.lint import lint

    wrong = 0
    for reference in arguments.schema:
        issues = lint(plugins.load(reference, BaseModel, BUILT_IN, error=SchemaError))
        wrong += sum(issue.severity == "error" for issue in issues)
        for issue in issues:
            hint = f" ({issue.suggestion})" if issue.suggestion else ""
            _print(one_line(f"{issue.severity}: {reference}: {issue.path or '-'}: {issue.code}: {issue.message}{hint}"))
        if not issues:
            _print(f"ok: {one_line(reference)}")
    if wrong:
        raise SchemaError(f"{wrong} errors, listed above", hint="a schema with errors cannot be read with")
    return 0


def _print(line: str) -> None:
    from docpipe.output import write_stdout

    write_stdout(f"{line}\n".encode(errors="backslashreplace"))
