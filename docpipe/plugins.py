"""A reference -> a class: a bare name, `module:Class`, or `path/to/file.py:Class`. No registry; bare names never go by sys.path."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from docpipe.errors import UsageError

T = TypeVar("T")
PACKAGE = Path(__file__).resolve().parent
_importing = threading.RLock()  # a module is known by its name from the moment its import begins, and is whole at its end


def load(reference: str, kind: type[T], home: Path, *, error: type[UsageError] = UsageError) -> type[T]:
    """The subclass of `kind` that `reference` names; a bare name is the only one defined in `home/<name>.py` or the package of that name.

    Raises `error` when nothing, or not exactly one class, answers to the reference.
    """
    where, _, class_name = reference.rpartition(":")
    if not where:
        return _only_class(_module_of_file(_bare(reference, home, error), error), kind, reference, error)
    module = _module_of_file(Path(where), error) if where.endswith(".py") else _module_of_name(where, error)
    found = getattr(module, class_name, None)
    if not (inspect.isclass(found) and issubclass(found, kind)):
        raise error(f"{reference}: {where} has no {kind.__name__} called {class_name!r}")
    return found


def names(home: Path) -> tuple[str, ...]:
    """The bare names that `home` offers."""
    files = [*home.glob("*.py"), *(file.parent for file in home.glob("*/__init__.py"))]
    return tuple(sorted(file.stem for file in files if not file.stem.startswith("_")))


def _bare(name: str, home: Path, error: type[UsageError]) -> Path:
    file = home / f"{name}.py"
    if not file.is_file():
        file = home / name / "__init__.py"
    if not name.isidentifier() or name.startswith("_") or not file.is_file():
        raise error(f"there is no {name!r}", hint=f"one of: {', '.join(names(home))}; or module:Class, or path/to/file.py:Class")
    return file


def _module_of_name(name: str, error: type[UsageError]) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as problem:
        raise error(f"cannot import {name}: {problem}") from problem


def _module_of_file(file: Path, error: type[UsageError]) -> ModuleType:
    """Import one file by its place. A file of docpipe keeps its dotted name; any other gets a name made from its path."""
    file = file.resolve()
    if not file.is_file():
        raise error(f"there is no file {file}")
    if file.is_relative_to(PACKAGE):
        inside = file.relative_to(PACKAGE).with_suffix("")
        return importlib.import_module(".".join(("docpipe", *(part for part in inside.parts if part != "__init__"))))
    name = f"_docpipe_{file.stem}_{hashlib.sha256(str(file).encode()).hexdigest()[:12]}"
    with _importing:
        return sys.modules[name] if name in sys.modules else _imported(name, file, error)


def _imported(name: str, file: Path, error: type[UsageError]) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise error(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as problem:
        del sys.modules[name]
        raise error(f"{file} cannot be imported: {type(problem).__name__}: {problem}") from problem
    return module


def _only_class(module: ModuleType, kind: type[T], reference: str, error: type[UsageError]) -> type[T]:
    """The one public class of `kind` that the module itself defines and that none of its others uses as a base or a part."""
    mine = [
        found
        for name, found in vars(module).items()
        if inspect.isclass(found) and issubclass(found, kind) and found.__module__ == module.__name__ and not name.startswith("_")
    ]
    main = [found for found in mine if found.__name__.replace("_", "").lower() == reference.replace("_", "").lower()] or mine
    if len(main) != 1:
        raise error(f"{reference}: found {len(main)} classes, needs one", hint=f"name it: {reference}:Class")
    return main[0]
