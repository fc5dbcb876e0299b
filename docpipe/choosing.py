"""Which schema a document is read with: the one that is named, or the one of its class where that is left to `auto`. Opens no document."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel

from docpipe.classify import DocumentClass, load_classes
from docpipe.errors import UsageError
from docpipe.fields import AUTO, DEFAULT_SCHEMA, is_auto, load_schema, schema_ref
from docpipe.records import ReadOptions, SchemaRef
from docpipe.splitting import read_plan


@dataclass(frozen=True)
class Choice:
    """What a reference to a schema leaves open. `ref` is what a job names as its schema, `named` the only schema there is, or None where
    each document has that of its class, which is one of those `listed`."""

    ref: SchemaRef
    listed: tuple[DocumentClass, ...] = ()
    named: type[BaseModel] | None = None

    @cached_property
    def classes(self) -> tuple[DocumentClass, ...]:
        """The classes that pages are told apart by. Beside a named schema these are the built-in ones too: a page of another class is a
        sign that a new document begins."""
        if self.named is None:
            return self.listed
        others = (one for one in load_classes([]) if one.name != self.ref.name)
        return (*others, DocumentClass(self.ref.name, (self.named.__doc__ or "").strip(), self.named))

    def ref_of(self, name: str) -> SchemaRef:
        """How a document of that class is read: with the only schema, with the class's, or as a transcript where it is of none."""
        if self.named:
            return self.ref
        schema = self._schema_of(name)
        return schema_ref(schema, name) if schema else load_schema(DEFAULT_SCHEMA)[1]

    def schema(self, ref: SchemaRef) -> type[BaseModel]:
        """The class that a reference of `ref_of` stands for."""
        return self.named or self._schema_of(ref.name) or load_schema(DEFAULT_SCHEMA)[0]

    def _schema_of(self, name: str) -> type[BaseModel] | None:
        return next((one.schema for one in self.listed if one.name == name), None)


def read_choice(reference: str | type[BaseModel]) -> Choice:
    """What `reference` says: a schema, one's name as `load_schema` takes it, `auto`, or `auto:A,B` with the schemas to choose from. Raises
    SchemaError and UsageError where one of them does not exist."""
    if isinstance(reference, str) and is_auto(reference):
        classes = _listed(reference)
        return Choice(_identity(reference, classes), classes)
    schema, ref = load_schema(reference) if isinstance(reference, str) else (reference, schema_ref(reference))
    return Choice(ref, named=schema)


def is_sorted(reference: str, options: ReadOptions) -> bool:
    """Whether a document is to be looked at before it is known how to read it. Raises UsageError where the way to cut makes no sense."""
    return is_auto(reference) or read_plan(options.split).kind != "never"


def _listed(reference: str) -> tuple[DocumentClass, ...]:
    """The classes that `auto` chooses from."""
    listed = [part.strip() for part in reference.partition(":")[2].split(",")] if ":" in reference else []
    if not all(listed):
        raise UsageError(f"{reference!r} has an empty part", hint="for example auto:invoice,receipt")
    classes = load_classes(listed)
    if undescribed := next((one.name for one in classes if one.schema is None), None):
        raise UsageError(f"{undescribed!r} has no schema to read with", hint="name schemas only")
    return classes


def _identity(reference: str, classes: Sequence[DocumentClass]) -> SchemaRef:
    """The same classes that say the same are the same choice."""
    said = [schema_ref(one.schema, one.name).sha256 for one in classes if one.schema is not None]
    names = f":{','.join(one.name for one in classes)}" if ":" in reference else ""
    return SchemaRef(name=f"{AUTO}{names}", sha256=hashlib.sha256("\n".join(said).encode()).hexdigest())
