"""Questions answered in a provider's batches, within a day and at half the price: they are collected, sent, waited for and filed. Knows
neither pages nor who asks.

What is done is noted before and after, so that whatever stops this process, the next one goes on with it: a question is in one batch at a
time, and in no other once it is answered.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections import Counter
from collections.abc import Iterator

from docpipe.backends import Batches, ModelOptions
from docpipe.backends._api.answer import BYTES, FRAME
from docpipe.backends._api.client import Server
from docpipe.backends._api.provider import Provider, State
from docpipe.backends._api.rows import problem_of, was_cancelled, without_answer
from docpipe.backends._api.spool import Note, Said, Spool
from docpipe.errors import AnswerError, BusyError, DocpipeError, UsageError

MOST_ROWS = 50_000  # of a batch (OpenAI)
MOST_BYTES = 190_000_000  # of a batch's file, for which OpenAI allows 200 MB
TRIES = 3  # batches that a question is in until its passing errors are the end of it
CROWDED = 600.0  # seconds until the next batch where the account has as many questions waiting as it may
ANSWERS = FRAME + 4096 * BYTES  # bytes of a row's answer, on the average
_GONE = "is the key of the project that sent it? OUT/.docpipe/provider is what is known of batches: without it all is sent anew"
_CROWDED = "token_limit_exceeded"

log = logging.getLogger(__name__)


def open_spool(options: ModelOptions) -> Spool | None:
    """Where questions wait for a batch; None where they are asked at once."""
    api = options.api
    return Spool(options.spool, server=f"{Server(api).url} {api.version}") if options.spool else None


class OpenAiBatches(Batches):
    """The batches of one spool. One at a time looks after them."""

    def __init__(
        self, options: ModelOptions, *, most_rows: int = MOST_ROWS, most_bytes: int = MOST_BYTES, crowded: float = CROWDED
    ) -> None:
        """Goes on with what an earlier one left. Raises UsageError for options that batches cannot keep."""
        api, spool = options.api, open_spool(options)
        if spool is None:
            raise UsageError("there is no folder in which questions could wait for a batch")
        if api.job_usd is not None or api.tenant_usd is not None:
            raise UsageError(
                "budgets are not kept where a provider answers in batches", hint="unset DOCPIPE_MODEL__API__JOB_USD and TENANT_USD"
            )
        self._spool, self._server = spool, Server(api)
        self._provider = Provider(self._server, azure=bool(api.version))
        self._most_rows, self._most_bytes, self._crowded = most_rows, most_bytes, crowded
        notes = spool.notes()
        spool.begin(notes)
        self._notes = {note.name: note for note in notes}
        self._states: dict[str, State] = {}
        self._tries: Counter[str] = Counter()
        self._called: set[str] = set()
        self._unsent = 0
        self._not_before = self._quiet_until = 0.0
        self._trouble = ""

    def look(self, *, idle: bool) -> set[str]:
        """As `Batches.look`. Raises AnswerError where no batch is taken, ResourceError and UsageError where nothing can be filed."""
        if time.monotonic() < self._quiet_until:
            return set()
        self._trouble = ""
        for note in list(self._notes.values()):
            self._advance(note)
        for note in self._pack(rest=idle and not self._called):  # who is called may have more to ask
            self._advance(note)
        if idle and not self._under_way and not self._unsent:
            self._called |= self._spool.waiters()  # a call may have come before its waiter was waiting
        called, self._called = self._called, set()
        return called

    @property
    def state(self) -> str:
        """The batches, and what was wrong with the last look."""
        states = [self._states.get(note.name) for note in self._under_way]
        counts = Counter(state.status if state else "not sent" for state in states)
        said = [f"{count} {status}" for status, count in sorted(counts.items())]
        asked = sum(len(note.keys) for note in self._under_way)
        answered = sum(state.answered for state in states if state)
        parts = [f"batches: {', '.join(said)}; {answered} of {asked} questions answered"] if said else []
        parts += [f"{self._unsent} questions wait to be sent"] if self._unsent else []
        return "; ".join([*parts, *filter(None, [self._trouble])])

    def forget(self) -> None:
        """Nobody needs the answers any longer. What is still on its way keeps its place."""
        for note in [note for note in self._notes.values() if note.filed]:
            self._tidy(note)
        if not self._notes:
            self._spool.remove()

    def close(self) -> None:
        self._provider.close()

    @property
    def _under_way(self) -> list[Note]:
        return [note for note in self._notes.values() if not note.filed]

    # ---- sending -----------------------------------------------------------------------------------------------------

    def _pack(self, *, rest: bool) -> list[Note]:
        """New batches of the questions that wait: whole ones, and with `rest` one that is not."""
        on_the_way = {key for note in self._under_way for key in note.keys}
        waiting = self._spool.waiting(on_the_way)
        self._unsent = len(waiting)
        if time.monotonic() < self._not_before:
            self._trouble = "the account has as many questions in batches as it may"
            return []
        return [self._bound(keys) for keys, whole in self._split(waiting) if whole or rest]

    def _split(self, waiting: list[tuple[str, int]]) -> Iterator[tuple[tuple[str, ...], bool]]:
        """Questions for one batch after the other, and whether no other would fit in. One that fits in none is refused."""
        keys: list[str] = []
        size = 0
        for key, more in waiting:
            if more >= self._most_bytes:
                self._end(key, Said(status=413, body={"error": {"message": f"a question of {more} bytes fits into no batch"}}))
                continue
            if keys and (len(keys) == self._most_rows or size + more + 1 > self._most_bytes):
                yield tuple(keys), True
                keys, size = [], 0
            keys.append(key)
            size += more + 1
        if keys:
            yield tuple(keys), len(keys) == self._most_rows

    def _bound(self, keys: tuple[str, ...]) -> Note:
        note = Note(name=f"docpipe-{secrets.token_hex(8)}", keys=keys, since=time.time())
        self._spool.bind(note)
        self._notes[note.name] = note
        self._unsent -= len(keys)
        return note

    def _save(self, note: Note, **change: object) -> Note:
        note = note.model_copy(update=change)
        self._spool.save(note)
        self._notes[note.name] = note
        return note

    # ---- one batch ---------------------------------------------------------------------------------------------------

    def _advance(self, note: Note) -> None:
        """Take one batch as far as it goes now."""
        try:
            if not note.filed:
                self._settle(self._created(self._uploaded(note)))
        except AnswerError as problem:
            if problem.status != 404 or note.batch is None:  # what may be forgotten is a batch, no misspelt address
                raise
            raise AnswerError(f"{problem.message} (about {note.batch})", status=404, hint=_GONE) from problem
        except DocpipeError as problem:
            if not problem.retryable:
                raise
            self._trouble = problem.message
            if isinstance(problem, BusyError):
                self._quiet_until = time.monotonic() + problem.after
        finally:
            if self._notes[note.name].filed:
                self._tidy(self._notes[note.name])

    def _uploaded(self, note: Note) -> Note:
        if note.file:
            return note
        path = self._spool.upload(note)
        file = self._provider.find_upload(path, since=note.since) if note.begun == "upload" else None
        if file is None:
            note = self._save(note, begun="upload")
            file = self._provider.upload(path)
        return self._save(note, begun="", file=file, left=(file,))

    def _created(self, note: Note) -> Note:
        file = note.file or ""
        if note.batch:
            return note
        state = self._provider.find(file, since=note.since) if note.begun == "create" else None
        if state is None:
            note = self._save(note, begun="create")
            state = self._provider.create(file, name=note.name)
        self._states[note.name] = state
        note = self._save(note, begun="", batch=state.id)
        self._spool.upload(note).unlink(missing_ok=True)  # the server has it
        return note

    def _settle(self, note: Note) -> None:
        """Look at the batch, and file what came of it where it is over."""
        state = self._states[note.name] = self._provider.state(note.batch or "")
        if not state.is_over:
            return
        if state.status == "failed":
            self._not_taken(note, state)
        else:
            self._file(note, state)
        files = (note.file, state.output_file_id, state.error_file_id)
        self._save(note, filed=True, left=tuple(filter(None, files)))
        if self._is_hopeless(note, state):
            raise AnswerError(
                f"{self._server.host}: takes no batch of these questions: {self._told(state)}", hint="the next call sends them again"
            )

    def _tidy(self, note: Note) -> None:
        """The batch leaves nothing behind, neither here nor, as far as that can be had, there."""
        for file in note.left:
            try:
                self._provider.delete(file)
            except DocpipeError as problem:
                if problem.retryable:
                    self._trouble = problem.message
                    return
                log.warning("a file of a batch stays with the provider: %s", problem.message)
        self._spool.drop(note)
        del self._notes[note.name]
        self._states.pop(note.name, None)

    # ---- what came of it ---------------------------------------------------------------------------------------------

    def _not_taken(self, note: Note, state: State) -> None:
        """A whole batch was refused: at the account's limit all wait, else its questions have had one try."""
        if state.problem.code == _CROWDED:
            self._not_before = time.monotonic() + self._crowded
            self._most_rows = max(1, len(note.keys) // 2)
        else:
            self._tries.update(note.keys)
        for key in note.keys:
            self._end(key, None)

    def _is_hopeless(self, note: Note, state: State) -> bool:
        return state.status == "failed" and any(self._tries[key] >= TRIES for key in note.keys)

    def _file(self, note: Note, state: State) -> None:
        """Every answer into its place; a question without one may be sent again."""
        open_keys, failed = set(note.keys), dict[str, Said]()
        for key, said in self._heard(note, state):
            if key not in open_keys:
                log.warning("a batch answers what was not asked", extra={"batch": note.batch})
            elif said.status == 200 or not self._passes(said):
                self._end(key, said)
                open_keys.remove(key)
            else:
                failed[key] = said
        for key in sorted(open_keys):
            self._try_again(key, failed.get(key) or without_answer(state.status))

    def _heard(self, note: Note, state: State) -> Iterator[tuple[str, Said]]:
        for file in filter(None, (state.output_file_id, state.error_file_id)):
            with contextlib.closing(self._provider.rows(file, largest=FRAME + ANSWERS * len(note.keys))) as rows:
                yield from rows

    def _try_again(self, key: str, said: Said) -> None:
        self._tries[key] += 1
        self._end(key, said if self._tries[key] >= TRIES or was_cancelled(said) else None)

    def _passes(self, said: Said) -> bool:
        """Whether another try may help."""
        return self._provider.error(problem_of(said)).retryable

    def _end(self, key: str, said: Said | None) -> None:
        """What came of a question, or that it is on its way no longer; who waits for it is to be called."""
        if said is None:
            self._spool.free(key)
        else:
            self._spool.file(key, said)
        self._called |= self._spool.called(key)

    def _told(self, state: State) -> str:
        secret, said = self._server.secret, state.problem.message or state.problem.code or "no reason given"
        return " ".join((said.replace(secret, "***") if secret else said).split())[:200]
