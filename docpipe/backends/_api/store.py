"""The few numbers that all who call an API share, changed by one operation at a time: in this process, or in Redis for many.

Knows no rate, no budget and no circuit: an operation is written twice, line by line alike, once in Python and once in Lua, and one contract
test runs both. It gets the states of its keys (empty where nothing is known), the time in seconds and its arguments; it changes the states
in place and returns its answer. Numbers keep 14 digits: a time is exact to a tenth of a millisecond.

A state's `keep` is the time until which it means something; an hour later it is gone.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from docpipe.errors import BusyError, EngineError, MissingError, UsageError

State = dict[str, Any]
Clock = Callable[[], float]

SLACK = 3600.0  # seconds that a state outlives its meaning
CROWDED = 1024  # states in this process before the dead ones are swept out
AWAY = 5.0  # seconds until another try where Redis does not answer
PATIENCE = 1.0  # seconds for one answer of Redis
PREFIX = "{docpipe-api}:"  # in braces, so that a Redis cluster keeps all keys of one operation together

log = logging.getLogger(__name__)

_LUA = """
local args = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = args.now or (time[1] + time[2] / 1000000)
local states = {}
for i, key in ipairs(KEYS) do states[i] = cjson.decode(redis.call('GET', key) or '{}') end
local function operate() %s end
local answer = operate()
for i, key in ipairs(KEYS) do
  local left = math.max((states[i].keep or now) - now, 0) + args.slack
  redis.call('SET', key, cjson.encode(states[i]), 'PX', math.ceil(left * 1000))
end
return cjson.encode(answer)
"""


class Operation(NamedTuple):
    """One change. `lua` is the body of a function that sees `states`, `now` and `args`, as `local` gets them."""

    local: Callable[[Sequence[State], float, Mapping[str, Any]], Mapping[str, Any]]
    lua: str


class Store(ABC):
    """Where the states are. Safe to share between threads."""

    @abstractmethod
    def run(self, operation: Operation, keys: Sequence[str], **args: Any) -> dict[str, Any]:
        """The operation's answer; nobody sees a state half changed. Raises BusyError where the store is away, EngineError where it says
        no."""

    def close(self) -> None:
        """Let go of connections."""
        return None


class LocalStore(Store):
    """For the threads of one process; `clock` tells seconds from any beginning."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._states: dict[str, State] = {}

    def run(self, operation: Operation, keys: Sequence[str], **args: Any) -> dict[str, Any]:
        with self._lock:
            now = self._clock()
            if len(self._states) > CROWDED:
                self._states = {key: state for key, state in self._states.items() if state.get("keep", now) + SLACK > now}
            states = [self._states.setdefault(key, {}) for key in keys]
            return dict(operation.local(states, now, args))


class RedisStore(Store):
    """For every process that reaches the Redis at `url`. The server's clock counts, unless a test brings its own."""

    def __init__(self, url: str, *, prefix: str = PREFIX, clock: Clock | None = None) -> None:
        """Connects with the first operation. Raises MissingError without the redis package, UsageError for what is no URL of a Redis."""
        self._prefix = prefix
        self._clock = clock
        self._client = _connect(url)
        self._scripts: dict[str, Any] = {}

    def run(self, operation: Operation, keys: Sequence[str], **args: Any) -> dict[str, Any]:
        if self._clock is not None:
            args["now"] = self._clock()
        given = json.dumps({**args, "slack": SLACK})
        with _typed():
            answer = self._script(operation)(keys=[self._prefix + key for key in keys], args=[given])
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        self._client.close()

    def _script(self, operation: Operation) -> Any:
        """Sent by its hash; a server that does not know it, as after a restart, is told it."""
        if operation.lua not in self._scripts:
            self._scripts[operation.lua] = self._client.register_script(_LUA % operation.lua)
        return self._scripts[operation.lua]


def open_store(url: str | None) -> Store:
    """The Redis at `url`, or else what this process keeps for itself: whoever has to share must be given the same store."""
    return RedisStore(url) if url else LocalStore()


def try_run(store: Store, operation: Operation, keys: Sequence[str], **args: Any) -> None:
    """Note something after a call. What the call brought is not lost because a store is away: all that is noted here ends by itself, or
    errs on the careful side."""
    try:
        store.run(operation, keys, **args)
    except EngineError as problem:
        log.warning("not noted: %s", problem.message, extra={"keys": list(keys)})


@contextlib.contextmanager
def _typed() -> Iterator[None]:
    import redis

    passing = (redis.ConnectionError, redis.TimeoutError, redis.OutOfMemoryError, redis.ReadOnlyError)
    try:
        yield
    except redis.RedisError as problem:
        if isinstance(problem, passing) and not isinstance(problem, redis.AuthenticationError):  # which is a ConnectionError
            said = f"the Redis that an API's limits are kept in does not answer: {type(problem).__name__}"
            raise BusyError(said, after=AWAY) from problem
        raise EngineError(
            f"the Redis that an API's limits are kept in refuses: {str(problem)[:200]}", hint="check its URL and rights"
        ) from problem


def _connect(url: str) -> Any:
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as problem:
        raise MissingError(f"redis cannot be imported: {problem}", hint="pip install 'docpipe[queue]'") from problem
    try:
        # Once more at once: the connection that lay in the pool may be of a server that has been restarted since.
        retry = Retry(NoBackoff(), 1)
        client = redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=retry, decode_responses=True)
    except ValueError as problem:
        raise UsageError("the address of the Redis is no redis:// URL") from problem
    return client
