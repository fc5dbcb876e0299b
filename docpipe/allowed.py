"""Which code a job may name: built-in parts, packages that the operator lists, files in a folder that the operator mounts. Nothing else.

Code never travels. A job carries references; what they mean is what lies on the machine that reads it, and for the schema a hash says
whether that is still what was submitted.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from docpipe.errors import MismatchError, SchemaError
from docpipe.fields import AUTO, is_auto, load_schema
from docpipe.records import ReadOptions, Record, SchemaRef


class Allowed(Record):
    """What the operator allows beside the built-in parts: whole packages, and the files of one folder."""

    packages: tuple[str, ...] = ()
    folder: Path | None = None

    def reference(self, name: str) -> str:
        """The reference to load by, for one in a job: a file's is its base name, looked for in the folder. Raises SchemaError for one
        that is not allowed."""
        if is_auto(name) and ":" in name:
            return f"{AUTO}:{','.join(self.reference(one.strip()) for one in name.partition(':')[2].split(','))}"
        where, _, class_name = name.rpartition(":")
        if not where:
            return name
        if where.endswith(".py"):
            return f"{self._file(where)}:{class_name}"
        if where.partition(".")[0] not in self.packages:
            raise SchemaError(f"{where} is no package that jobs may name", hint="add it to DOCPIPE_PACKAGES on the workers and here")
        return name

    def options(self, options: ReadOptions) -> ReadOptions:
        """The options with every reference in them as it is to be loaded. Raises SchemaError."""
        lists = {name: tuple(map(self.reference, getattr(options, name))) for name in ("engines", "formats", "classifiers")}
        ocr, backend = self.reference(options.ocr), self.reference(options.backend)
        redact = options.redact and self.reference(options.redact)
        return options.model_copy(update={**lists, "ocr": ocr, "backend": backend, "redact": redact})

    def load_schema(self, ref: SchemaRef) -> type[BaseModel]:
        """The schema that a job names. Raises SchemaError, and MismatchError where it no longer says what it said when the job was
        submitted."""
        found, now = load_schema(self.reference(ref.name))
        if now.sha256 != ref.sha256:
            raise MismatchError(f"the schema {ref.name} is not the one that was submitted", hint="submit again, or restore it")
        return found

    def _file(self, name: str) -> Path:
        if self.folder is None:
            raise SchemaError(f"{name} is a file, and jobs may name none", hint="put it into a folder and set DOCPIPE_PLUGINS to that")
        file = self.folder / Path(name).name
        if not file.is_file():
            raise SchemaError(f"there is no {file.name} in the folder of plug-ins", hint="put it there, on every worker")
        return file


class Everything(Allowed):
    """Whatever the caller names: where the one who asks is the one whose machine reads."""

    def reference(self, name: str) -> str:
        """The reference itself."""
        return name
