"""When to leave an API's host alone. Knows what went wrong, not how it was asked.

Closed until FAILURES calls in a row break; then open, and every further call is refused at once. After a while one call is let through:
where it is answered the circuit closes, where it breaks too it stays open for twice as long, up to LONGEST.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal

from docpipe.backends._api.store import Operation, State, Store, try_run
from docpipe.errors import AnswerError, BusyError, DeadlineError, ForbiddenAddressError, OutboundError
from docpipe.records import Record

Verdict = Literal["good", "bad", "none"]
FORGETS = 3600.0  # seconds after which failures that did not open the circuit are forgotten


class Fuse(Record):
    """`failures` in a row open the circuit for `first` seconds, doubled each time up to `longest`; `probe` is the longest that the call
    which tries it out can take."""

    failures: int = 5
    first: float = 5.0
    longest: float = 300.0
    probe: float = 60.0


class Permit:
    """A call that may be made. Use it as a context manager around the call and its errors: it notes how the call went."""

    def __init__(self, breaker: Breaker, key: str, *, at: float) -> None:
        self._breaker = breaker
        self._key = key
        self._at = at

    def __enter__(self) -> Permit:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self._breaker.note(self._key, verdict(problem), at=self._at)


class Breaker:
    """The circuits of the hosts that `enter` is asked about, one key each, shared by all who have the same store."""

    def __init__(self, store: Store, fuse: Fuse | None = None) -> None:
        self._store = store
        self._fuse = fuse or Fuse()

    def enter(self, key: str) -> Permit:
        """A permit for one call. Raises BusyError with the seconds after which to come back, where the circuit is open."""
        found = self._store.run(_ASK, [f"breaker:{key}"], take=True, **self._fuse.model_dump())
        if found["after"] > 0:
            raise BusyError(f"{key} has failed again and again and is left alone for a while", after=found["after"])
        return Permit(self, key, at=found["at"])

    def open_for(self, key: str) -> float:
        """The seconds for which no call is let through; 0 where one would be. Raises BusyError where the store is away."""
        return float(self._store.run(_ASK, [f"breaker:{key}"], take=False, **self._fuse.model_dump())["after"])

    def is_open(self, key: str) -> bool:
        """Whether a call would be refused just now: nothing need be sent there."""
        return self.open_for(key) > 0

    def note(self, key: str, verdict: Verdict, *, at: float) -> None:
        """How a call went that was permitted at the store's time `at`. One from before the circuit opened tells nothing new."""
        try_run(self._store, _NOTE, [f"breaker:{key}"], verdict=verdict, at=at, forgets=FORGETS, **self._fuse.model_dump())


def verdict(problem: BaseException | None) -> Verdict:
    """What an error says of the host: `bad` for one that did not answer, not in time or with 5xx; `good` for an answer, be it 4xx; `none`
    where it was not at fault or not asked, as at a rate limit (429)."""
    if problem is None:
        return "good"
    if isinstance(problem, DeadlineError):
        return "bad"
    if not isinstance(problem, OutboundError) or isinstance(problem, ForbiddenAddressError) or problem.status == 429:
        return "none"
    if problem.status is not None:
        return "bad" if problem.status >= 500 else "good"
    return "none" if isinstance(problem, AnswerError) else "bad"


def _ask(states: Sequence[State], now: float, args: Mapping[str, Any]) -> Mapping[str, Any]:
    state, after = states[0], 0.0
    if state.get("times", 0) > 0:
        if state["again"] > now:
            after = state["again"] - now
        elif state.get("probe", 0) > now:
            after = min(state["probe"] - now, args["first"])
        elif args["take"]:
            state["probe"] = now + args["probe"]
            state["keep"] = max(state["keep"], state["probe"])
    return {"after": after, "at": now}


_ASK = Operation(
    _ask,
    """
local state, after = states[1], 0
if (state.times or 0) > 0 then
  if state.again > now then
    after = state.again - now
  elseif (state.probe or 0) > now then
    after = math.min(state.probe - now, args.first)
  elseif args.take then
    state.probe = now + args.probe
    state.keep = math.max(state.keep, state.probe)
  end
end
return {after = after, at = now}
""",
)


def _note(states: Sequence[State], now: float, args: Mapping[str, Any]) -> Mapping[str, Any]:
    state = states[0]
    times = state.get("times", 0)
    if times > 0 and args["at"] < state["again"]:
        return {}
    state["probe"] = 0
    if args["verdict"] == "good":
        state["times"], state["failures"] = 0, 0
    elif args["verdict"] == "bad":
        state["failures"] = state.get("failures", 0) + 1
        state["keep"] = now + args["forgets"]
        if times > 0 or state["failures"] >= args["failures"]:
            state["times"] = times + 1
            state["again"] = now + min(args["longest"], args["first"] * 2 ** min(times, 32))
            state["keep"] = state["again"] + args["longest"]
    return {}


_NOTE = Operation(
    _note,
    """
local state = states[1]
local times = state.times or 0
if times > 0 and args.at < state.again then return {} end
state.probe = 0
if args.verdict == 'good' then
  state.times, state.failures = 0, 0
elseif args.verdict == 'bad' then
  state.failures = (state.failures or 0) + 1
  state.keep = now + args.forgets
  if times > 0 or state.failures >= args.failures then
    state.times = times + 1
    state.again = now + math.min(args.longest, args.first * 2 ^ math.min(times, 32))
    state.keep = state.again + args.longest
  end
end
return {}
""",
)
