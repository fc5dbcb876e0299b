"""What may be spent on an API, for a job, a tenant, whatever has a name. Money is reserved before a call and made true after it, so that
callers side by side never reserve more than there is.

A call that is never settled, because its process died, stays counted as reserved: it may well have been paid for. What is spent is as
lasting as the store: 90 days after the last call, and as long as Redis keeps its memory.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any

from docpipe.backends._api.store import Operation, State, Store, try_run
from docpipe.errors import BudgetError
from docpipe.records import Record

MICRO = 1_000_000  # money is counted in whole millionths of a dollar, rounded up
KEPT = 90 * 86400.0  # seconds


class Purse(Record):
    """Money for one purpose: `key` is what it is kept under, `name` what it is called in a message, `usd` the most that may be spent from
    it, `setting` the name of what sets that."""

    key: str
    name: str
    usd: Decimal
    setting: str


class Spending:
    """Money reserved for one call."""

    def __init__(self, budget: Budget, keys: Sequence[str], reserved: int) -> None:
        self._budget = budget
        self._keys = keys
        self._counted = reserved

    def settle(self, usd: Decimal) -> None:
        """What the call cost in truth; 0 where it was never made. The last word counts."""
        micro = _micro(usd)
        self._budget.add(self._keys, micro - self._counted)
        self._counted = micro


class Budget:
    """The purses of all who have the same store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def reserve(self, purses: Sequence[Purse], usd: Decimal | None) -> Spending:
        """Take so much from every purse, or from none. Raises BudgetError where one of them does not hold it, or where nobody knows what
        the call would cost (None); without a purse anything goes. Raises BusyError where the store is away."""
        if not purses:
            return Spending(self, (), 0)
        if usd is None:
            raise BudgetError(
                f"nobody knows what a call costs, so it cannot be taken from {purses[0].name}",
                hint=f"give the model's price in a file of prices, or unset {purses[0].setting}",
            )
        keys = [f"budget:{purse.key}" for purse in purses]
        found = self._store.run(_RESERVE, keys, micro=_micro(usd), most=[_floor(purse.usd) for purse in purses], kept=KEPT)
        if found["empty"] >= 0:
            purse = purses[found["empty"]]
            spent = Decimal(found["spent"]) / MICRO
            raise BudgetError(
                f"{purse.name} may cost {purse.usd} USD, {spent} USD of it are spent or promised, and the next call may cost {usd} USD",
                hint=f"raise {purse.setting}",
            )
        return Spending(self, keys, _micro(usd))

    def spent(self, purse: Purse) -> Decimal:
        """What is spent or reserved, in USD."""
        return Decimal(self._store.run(_ADD, [f"budget:{purse.key}"], micro=0, kept=KEPT)["spent"]) / MICRO

    def add(self, keys: Sequence[str], micro: int) -> None:
        """Count so many millionths of a dollar more, or fewer."""
        if keys and micro:
            try_run(self._store, _ADD, keys, micro=micro, kept=KEPT)


def job_purse(job: str, usd: Decimal, *, setting: str) -> Purse:
    """What one job may cost in all its rounds and tries."""
    return Purse(key=f"job:{job}", name=f"the job {job}", usd=usd, setting=setting)


def tenant_purse(tenant: str, usd: Decimal, *, setting: str, day: datetime.date) -> Purse:
    """What a tenant may spend in the month of that day."""
    return Purse(key=f"tenant:{tenant}:{day:%Y-%m}", name=f"the tenant {tenant} in {day:%Y-%m}", usd=usd, setting=setting)


def _micro(usd: Decimal) -> int:
    return int((usd * MICRO).to_integral_value(ROUND_CEILING))


def _floor(usd: Decimal) -> int:
    return int(usd * MICRO)


def _reserve(states: Sequence[State], now: float, args: Mapping[str, Any]) -> Mapping[str, Any]:
    for place, state in enumerate(states):
        if state.get("spent", 0) + args["micro"] > args["most"][place]:
            return {"empty": place, "spent": state.get("spent", 0)}
    for state in states:
        state["spent"] = state.get("spent", 0) + args["micro"]
        state["keep"] = now + args["kept"]
    return {"empty": -1, "spent": 0}


_RESERVE = Operation(
    _reserve,
    """
for place, state in ipairs(states) do
  if (state.spent or 0) + args.micro > args.most[place] then
    return {empty = place - 1, spent = state.spent or 0}
  end
end
for place, state in ipairs(states) do
  state.spent = (state.spent or 0) + args.micro
  state.keep = now + args.kept
end
return {empty = -1, spent = 0}
""",
)


def _add(states: Sequence[State], now: float, args: Mapping[str, Any]) -> Mapping[str, Any]:
    for state in states:
        state["spent"] = max(state.get("spent", 0) + args["micro"], 0)
        state["keep"] = now + args["kept"]
    return {"spent": states[0]["spent"]}


_ADD = Operation(
    _add,
    """
for place, state in ipairs(states) do
  state.spent = math.max((state.spent or 0) + args.micro, 0)
  state.keep = now + args.kept
end
return {spent = states[1].spent}
""",
)
