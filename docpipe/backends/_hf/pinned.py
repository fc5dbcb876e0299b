"""A checkpoint that lies on this machine and is known to be the one that was meant: a folder, or a repository pinned to a commit.

No hub is asked, no pickle is opened, and no code that comes with a model is run.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Any

from docpipe.backends import ModelOptions
from docpipe.backends._hf.checkpoint import Checkpoint
from docpipe.backends._hf.errors import typed
from docpipe.backends._hf.library import optional, transformers
from docpipe.errors import MissingError, UsageError

_PINNED = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)@(?P<commit>[0-9a-f]{40})")
_NAMING = "give a folder, or owner/name@commit with the 40 digits of a commit"
# What else than the weights decides what comes out.
_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")


class Pinned(Checkpoint):
    """Weights in float32, so that vectors do not depend on the machine."""

    def __init__(self, reference: str, *, takes: Collection[str]) -> None:
        """Raises MissingError where nothing lies there, and UsageError where it is not pinned, of another model, or a pickle."""
        self._reference = reference
        self.folder = _folder(reference)
        kind = _model_type(self.folder, self.label)
        if kind not in takes:
            raise UsageError(f"{self.label} is a {kind} model", hint=f"what is wanted here is one of: {', '.join(sorted(takes))}")
        if not any(self.folder.glob("*.safetensors")):
            raise UsageError(f"{self.label} has no *.safetensors", hint="pickled weights are never loaded: save them as safetensors")
        super().__init__(ModelOptions(model=str(self.folder), offline=True, dtype="float32"), takes=takes)

    @property
    def label(self) -> str:
        """The model's name without any folder of this machine."""
        return self._reference if _PINNED.fullmatch(self._reference) else self.folder.name

    @cached_property
    def identity(self) -> str:
        """Which model it is, to the last bit: its architecture, and the commit or a hash of the files."""
        architecture = (self.config.architectures or [self.config.model_type])[0]
        pinned = _PINNED.fullmatch(self._reference)
        return f"{architecture}@{pinned['commit'] if pinned else _hash(self.folder)}"

    @cached_property
    def image_processor(self) -> Any:
        """What makes a picture the model's input. By Pillow, as torchvision resizes to other pixels."""
        with typed(f"reading the image processor of {self.label}", place=str(self.folder)):
            kind = transformers().AutoImageProcessor
            return kind.from_pretrained(self.folder, backend="pil", local_files_only=True, trust_remote_code=False)

    def model(self, kind: Any = None, **how: Any) -> Any:
        """The weights, never from a pickle. Raises EngineError where some are missing."""
        return super().model(kind, use_safetensors=True, **how)


def _folder(reference: str) -> Path:
    if not reference:  # as a path it would be the folder that the call is made in
        raise UsageError("no checkpoint is named", hint=f"DOCPIPE_CHECKPOINTS__ and the model's name: {_NAMING}")
    folder = Path(reference).expanduser()
    if folder.is_dir():
        return folder
    if pinned := _PINNED.fullmatch(reference):
        return _snapshot(pinned["repository"], pinned["commit"])
    if re.fullmatch(r"[\w.-]+/[\w.-]+(@.*)?", reference):
        raise UsageError(f"{reference!r} is not pinned, and no folder", hint=_NAMING)
    raise MissingError(f"there is no folder {folder.name!r}", hint=_NAMING)


def _snapshot(repository: str, commit: str) -> Path:
    """Where the hub's own cache has it."""
    hub = optional("huggingface_hub")
    try:
        return Path(hub.snapshot_download(repository, revision=commit, local_files_only=True))
    except hub.errors.LocalEntryNotFoundError as problem:
        hint = f"hf download {repository} --revision {commit}"
        raise MissingError(f"{repository} at {commit[:12]} is not on this machine", hint=hint) from problem


def _model_type(folder: Path, label: str) -> str:
    try:
        return str(json.loads((folder / "config.json").read_bytes())["model_type"])
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise UsageError(f"{label} is no model of transformers: it has no config.json that says which", hint=_NAMING) from problem


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted({file for pattern in _FILES for file in folder.glob(pattern)}):
        with file.open("rb") as opened:
            digest.update(f"{file.name} ".encode() + hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()[:16]
