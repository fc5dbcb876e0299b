"""How fast an API may be asked: requests and tokens a minute, calls at a time. Knows no API, and never sleeps: who comes too early is told
when to come back.

Requests and tokens flow in evenly (GCRA: one number each, the time at which the schedule is even again), with a little credit so that who
comes a little late costs nothing. A window over the last starts keeps what the credit allows out of the server's own count.

Who is refused gets a time of its own, one behind the other, so that nobody who does as told meets a crowd. Simulated with 300 requests a
minute (5 a second) and 16 callers, over five minutes: all of 95 % of the limit is used and nothing is refused by a server that counts every
second, where callers come back within 5 ms or 100 ms of the time they were told; 94 % within 250 ms. It takes 2 to 4 tries a call. With
one request a window, as at 60 a minute, lateness cannot be caught up with: 90 % within 100 ms. Processes share a limit only through Redis.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from pydantic import Field as Attribute

from docpipe.backends._api.store import Operation, State, Store, try_run
from docpipe.errors import BusyError
from docpipe.records import Record

USED = 0.95  # of what the limits allow, in the long run
CREDIT = 0.4  # seconds of schedule that late callers may catch up with
MARGIN = 1.02  # the window is kept this much longer, for what the network does to the distances
LONGEST = 256  # starts that are remembered
FAR = 300.0  # seconds: the latest that anybody is told to come back
LEAST = 0.01  # seconds that a call is thought to take at the least
CALL = 1.0  # seconds that a call is thought to take while none has ended


class Limits(Record):
    """What an API allows: `requests` and `tokens` a minute, `calls` at a time; None is no limit. `window` are the seconds over which the
    server counts its requests at the shortest, `seconds` the longest that a call can take: by then its turn is over, come what may."""

    requests: float | None = Attribute(None, gt=0)
    tokens: float | None = Attribute(None, gt=0)
    calls: int | None = Attribute(None, gt=0)
    window: float = Attribute(1.0, gt=0)
    seconds: float = Attribute(600.0, gt=0)

    def terms(self) -> dict[str, Any]:
        """The limits as an operation takes them: seconds of schedule for a request and for a token, the window, the calls."""
        found: dict[str, Any] = {"per_request": 0.0, "per_token": 0.0, "count": 0, "window": 0.0, "lease": self.seconds}
        if self.requests is not None:
            count = max(1, min(LONGEST, int(self.requests * self.window / 60)))
            found |= {"per_request": 60 / (USED * self.requests), "count": count, "window": MARGIN * count * 60 / self.requests}
        if self.tokens is not None:
            found["per_token"] = 60 / (USED * self.tokens)
        return found | {"credit": CREDIT, "far": FAR, "call": CALL, "least": LEAST} | ({} if self.calls is None else {"calls": self.calls})


class Turn:
    """A call that may be made now. Use it as a context manager around the call; leaving it makes room for the next."""

    def __init__(self, pace: Pace, key: str, *, name: str, tokens: int, at: float) -> None:
        self._pace = pace
        self._key = key
        self._name = name
        self._at = at
        self._reserved = self._used = tokens

    def settle(self, tokens: int) -> None:
        """The call took so many tokens; without this, the reserved ones count."""
        self._used = tokens

    def hold(self, after: float) -> None:
        """The API asks everybody to wait `after` seconds."""
        self._pace.hold(self._key, after)

    def __enter__(self) -> Turn:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self._pace.leave(self._key, name=self._name, tokens=self._used - self._reserved, at=self._at)


class Pace:
    """The limits of the APIs that `enter` is asked about, one key each, shared by all who have the same store."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._limits = limits

    def enter(self, key: str, *, tokens: int = 0, queue: bool = True) -> Turn:
        """A turn for a call of about so many tokens. Raises BusyError with the seconds after which to come back, at once: a time of its own
        behind all others, or without `queue`, for whom `look` let through, the next time that there is."""
        name = secrets.token_hex(8)
        return Turn(self, key, name=name, tokens=tokens, at=self._admit(key, tokens, name=name, queue=queue))

    def look(self, key: str) -> None:
        """Whether one might enter just now, before work is put into what is to be asked. Raises BusyError as `enter` does."""
        self._admit(key, 0, name="", queue=True)

    def _admit(self, key: str, tokens: int, *, name: str, queue: bool) -> float:
        """The store's time of entering, or with no name of a look."""
        # A share of chance for those who are told the latest time of all: the script has none of its own.
        given = {"name": name, "take": bool(name), "queue": queue, "tokens": tokens, "chance": secrets.randbelow(1000) / 1000}
        found = self._store.run(_ENTER, [f"pace:{key}"], **given, **self._limits.terms())
        if not found["entered"]:
            raise BusyError(f"the limits of {key} allow no further call just now", after=found["after"])
        return float(found["at"])

    def hold(self, key: str, after: float) -> None:
        """Nobody enters for so many seconds. Where the number of requests is limited here, a wait within the server's window is none for
        all: a request came a little early, and the next one comes a little later."""
        if self._limits.requests is not None and after <= self._limits.window:
            after = 60 / self._limits.requests
        try_run(self._store, _HOLD, [f"pace:{key}"], after=after)

    def leave(self, key: str, *, name: str, tokens: int, at: float) -> None:
        """The call that entered as `name` at the store's time `at` is over and took `tokens` more than it said."""
        per_token = self._limits.terms()["per_token"]
        try_run(self._store, _LEAVE, [f"pace:{key}"], name=name, tokens=tokens, at=at, per_token=per_token, call=CALL)


def _enter(states: Sequence[State], now: float, args: Mapping[str, Any]) -> Mapping[str, Any]:
    state = states[0]
    starts = state.get("starts", [])
    leases = {name: end for name, end in state.get("leases", {}).items() if end > now}
    due = max(state.get("due", 0), now - args["credit"])
    paid = max(state.get("paid", 0), now - args["credit"])
    gate = starts[0] + args["window"] if args["count"] and len(starts) >= args["count"] else 0
    full = "calls" in args and len(leases) >= args["calls"]
    even = max(due if args["per_request"] else 0, paid if args["per_token"] else 0, state.get("held", 0))
    entered, after = even <= now and gate <= now and not full, 0.0
    if entered and args["take"]:
        due, paid = due + args["per_request"], paid + args["tokens"] * args["per_token"]
        leases[args["name"]] = now + args["lease"]
        starts = [*starts, now][-args["count"] :] if args["count"] else []
    elif entered:
        pass
    elif even <= now and not full:
        after = gate - now  # only the window: its time has come, so it does not queue again
    else:
        room = max(state.get("mean", args["call"]), args["least"]) / args["calls"] if "calls" in args else 0
        begin = max(even, gate, state.get("tail", 0) if args["queue"] else 0, now + room if full else now)
        after = begin - now
        if after > args["far"]:
            after = args["far"] * (1 + args["chance"]) / 2
        elif args["queue"]:
            state["tail"] = begin + max(args["per_request"], args["tokens"] * args["per_token"], room)
    state.update(starts=starts, leases=leases, due=due, paid=paid)
    state["keep"] = max(due, paid, state.get("held", 0), state.get("tail", 0), now + args["lease"])
    return {"entered": entered, "after": after, "at": now}


_ENTER = Operation(
    _enter,
    """
local state = states[1]
local starts, leases, busy = state.starts or {}, {}, 0
for name, ends in pairs(state.leases or {}) do
  if ends > now then leases[name] = ends; busy = busy + 1 end
end
local due = math.max(state.due or 0, now - args.credit)
local paid = math.max(state.paid or 0, now - args.credit)
local gate = (args.count > 0 and #starts >= args.count) and starts[1] + args.window or 0
local full = args.calls and busy >= args.calls
local even = math.max(args.per_request > 0 and due or 0, args.per_token > 0 and paid or 0, state.held or 0)
local entered, after = even <= now and gate <= now and not full, 0
if entered and args.take then
  due, paid = due + args.per_request, paid + args.tokens * args.per_token
  leases[args.name] = now + args.lease
  if args.count > 0 then table.insert(starts, now) else starts = {} end
  while #starts > args.count do table.remove(starts, 1) end
elseif entered then
  -- only looked
elseif even <= now and not full then
  after = gate - now
else
  local room = args.calls and math.max(state.mean or args.call, args.least) / args.calls or 0
  local begin = math.max(even, gate, args.queue and state.tail or 0, full and now + room or now)
  after = begin - now
  if after > args.far then
    after = args.far * (1 + args.chance) / 2
  elseif args.queue then
    state.tail = begin + math.max(args.per_request, args.tokens * args.per_token, room)
  end
end
state.starts, state.leases, state.due, state.paid = starts, leases, due, paid
state.keep = math.max(due, paid, state.held or 0, state.tail or 0, now + args.lease)
return {entered = entered, after = after, at = now}
""",
)


def _leave(states: Sequence[State], now: float, args: Mapping[str, Any]) -> Mapping[str, Any]:
    state = states[0]
    state.get("leases", {}).pop(args["name"], None)
    state["paid"] = state.get("paid", now) + args["tokens"] * args["per_token"]
    state["mean"] = 0.8 * state.get("mean", args["call"]) + 0.2 * max(now - args["at"], 0)
    state["keep"] = max(state.get("keep", now), state["paid"])
    return {}


_LEAVE = Operation(
    _leave,
    """
local state = states[1]
if state.leases then state.leases[args.name] = nil end
state.paid = (state.paid or now) + args.tokens * args.per_token
state.mean = 0.8 * (state.mean or args.call) + 0.2 * math.max(now - args.at, 0)
state.keep = math.max(state.keep or now, state.paid)
return {}
""",
)


def _hold(states: Sequence[State], now: float, args: Mapping[str, Any]) -> Mapping[str, Any]:
    state = states[0]
    state["held"] = max(state.get("held", 0), now + args["after"])
    state["keep"] = max(state.get("keep", now), state["held"])
    return {}


_HOLD = Operation(
    _hold,
    """
local state = states[1]
state.held = math.max(state.held or 0, now + args.after)
state.keep = math.max(state.keep or now, state.held)
return {}
""",
)
