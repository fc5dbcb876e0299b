"""How fast an API may be asked: what is kept, who comes when, and what of it outlives a process."""

import heapq
import itertools
import random
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from faces import environment
from pytest import approx

from docpipe.backends._api.pace import CREDIT, FAR, USED, Limits, Pace
from docpipe.backends._api.store import LocalStore, RedisStore
from docpipe.errors import BusyError

pytestmark = pytest.mark.api

PROGRAM = Path(__file__).with_name("pacing.py")
EVEN = 60 / 300 / USED  # seconds between two requests of 300 a minute


def wait(pace, key="a", **more):
    """The seconds that one is told to wait."""
    with pytest.raises(BusyError) as refused:
        pace.enter(key, **more)
    return refused.value.after


def entered(pace, key="a", **more):
    with pace.enter(key, **more):
        return True


class Window:
    """A server's count: at most `most` in any `seconds`."""

    def __init__(self, most, seconds=1.0):
        self.most, self.seconds, self.taken, self.refused, self.last = most, seconds, 0, 0, deque()
        self.lock = threading.Lock()

    def take(self, now):
        with self.lock:
            while self.last and now - self.last[0] >= self.seconds:
                self.last.popleft()
            fits = len(self.last) < self.most
            self.taken, self.refused = self.taken + fits, self.refused + (not fits)
            if fits:
                self.last.append(now)
            return fits


def simulate(pace, ticks, window, *, callers=16, seconds=60, late=0.0, call=(0.05, 0.3), seed=1):
    """Callers that ask without end and come back when told, or so much later; the tries it took. The network takes up to 10 ms."""
    chance, begun, tries = random.Random(seed), ticks[0], 0
    order = itertools.count()
    due = [(begun + chance.random() / 5, next(order), None) for _ in range(callers)]
    arrivals = []
    heapq.heapify(due)
    while due[0][0] < begun + seconds:
        ticks[0], _, turn = heapq.heappop(due)
        if turn is not None:
            turn.__exit__(None, None, None)
            heapq.heappush(due, (ticks[0] + chance.random() * late, next(order), None))
            continue
        tries += 1
        try:
            turn = pace.enter("a")
        except BusyError as busy:
            heapq.heappush(due, (ticks[0] + busy.after + chance.random() * late, next(order), None))
        else:
            arrivals.append(ticks[0] + chance.random() / 100)
            heapq.heappush(due, (ticks[0] + chance.uniform(*call), next(order), turn))
    for arrival in sorted(arrivals):
        window.take(arrival)
    return tries


@pytest.mark.parametrize("late, share", ((0.005, 0.94), (0.1, 0.93), (0.25, 0.9)))
def test_callers_who_come_back_when_told_use_the_limit_up_and_never_break_it(store, ticks, late, share):
    window = Window(5)
    tries = simulate(Pace(store, Limits(requests=300)), ticks, window, late=late)
    assert window.refused == 0
    assert share * 300 <= window.taken <= 300
    assert tries < 4 * window.taken


@pytest.mark.parametrize("requests, callers", ((60, 4), (300, 64), (3000, 64)))
def test_other_limits_and_more_callers(ticks, requests, callers):
    window = Window(requests // 60)
    tries = simulate(Pace(LocalStore(lambda: ticks[0]), Limits(requests=requests)), ticks, window, callers=callers, late=0.005)
    assert window.refused == 0 and 0.93 * requests <= window.taken <= requests and tries < 3 * window.taken


def test_calls_at_a_time_are_nearly_all_made_use_of(ticks):
    busy = Window(10_000)
    simulate(Pace(LocalStore(lambda: ticks[0]), Limits(calls=4)), ticks, busy, late=0.02, call=(0.5, 3))
    assert 0.85 * 60 * 4 / 1.75 < busy.taken < 1.1 * 60 * 4 / 1.75


def test_everybody_is_told_a_time_of_their_own(store, ticks):
    pace = Pace(store, Limits(requests=300))
    while True:
        try:
            entered(pace)
        except BusyError as busy:
            told = [busy.after, *(wait(pace) for _ in range(15))]
            break
    assert [after - before for before, after in itertools.pairwise(told)] == approx([EVEN] * 15, abs=0.001)
    ticks[0] += told[0] + 0.001
    assert entered(pace)
    assert wait(pace) == approx(told[-1] - told[0] + EVEN, abs=0.01)


def test_nobody_is_told_to_come_back_very_late_nor_all_at_once(store):
    pace = Pace(store, Limits(requests=1))
    entered(pace)
    told = [wait(pace) for _ in range(40)]
    assert max(told) <= FAR and min(told) > 30
    assert len({round(after, 3) for after in told}) > 25


def test_tokens_count_as_they_were_used(store, ticks):
    pace = Pace(store, Limits(tokens=60_000))
    with pace.enter("a", tokens=10_000):  # larger than what is there: let in, and worked off
        pass
    assert wait(pace) == approx(10 / USED - CREDIT, abs=0.01)
    ticks[0] += 20
    with pace.enter("a", tokens=10_000) as turn:
        turn.settle(500)
    ticks[0] += 0.5 / USED
    with pace.enter("a", tokens=1000) as turn:
        turn.settle(30_000)
    assert wait(pace) > 30


def test_a_call_makes_room_when_it_is_over_and_at_its_latest_time(store, ticks):
    pace = Pace(store, Limits(calls=2, seconds=30))
    first, second = pace.enter("a"), pace.enter("a")
    assert 0 < wait(pace) <= 1 and entered(pace, "another key")
    with first:
        pass
    third = pace.enter("a")
    wait(pace)
    ticks[0] += 30.1  # whoever held them is dead
    with pace.enter("a"):
        second.__exit__(None, None, None)
        third.__exit__(None, None, None)
        with pace.enter("a"):
            wait(pace)


def test_a_call_that_breaks_makes_room_too(store):
    pace = Pace(store, Limits(calls=1))
    with pytest.raises(ZeroDivisionError), pace.enter("a"):
        raise ZeroDivisionError
    assert entered(pace)


def test_the_api_can_hold_everybody(store, ticks):
    pace = Pace(store, Limits(requests=600))
    with pace.enter("a") as turn:
        turn.hold(7)
        turn.hold(2)  # a shorter wait does not undo a longer one
    told = [wait(pace) for _ in range(5)]
    assert told[0] == approx(7, abs=0.01) and told == sorted(told) and len(set(told)) == 5
    assert entered(pace, "b")
    ticks[0] += 7.1
    assert entered(pace)


def test_without_limits_anything_goes(store):
    pace = Pace(store, Limits())
    with ExitStack() as open_turns:
        for _ in range(50):
            open_turns.enter_context(pace.enter("a", tokens=10**9))


# ---- processes -------------------------------------------------------------------------------------------------------


@contextmanager
def started(redis_server, limits, *arguments):
    """The program that shares its pace through Redis; killed at the end."""
    command = [sys.executable, PROGRAM, redis_server.url, limits.model_dump_json(), *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def counting(window):
    """The URL of a server that answers 429 to what is more than its window."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if window.take(time.monotonic()) else 429)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *said):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join(timeout=30)
        server.server_close()


def test_sixteen_callers_in_four_processes_keep_a_servers_limit(redis_server):
    window, seconds = Window(5), 6
    with counting(window) as url, ExitStack() as stack:
        limits = Limits(requests=300, seconds=30)
        crew = [stack.enter_context(started(redis_server, limits, "call", url, str(seconds))) for _ in range(4)]
        for process in crew:
            assert process.stdout.readline() == "ready\n"
        for process in crew:
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in crew:
            assert process.wait(60) == 0
    assert window.refused <= 1
    assert window.taken >= 0.9 * 5 * seconds


def test_the_place_of_a_killed_process_comes_back(redis_server):
    limits = Limits(calls=1, seconds=3)
    store = RedisStore(redis_server.url)
    pace = Pace(store, limits)
    with started(redis_server, limits, "hold") as process:
        assert process.stdout.readline() == "in\n"
        wait(pace, "api")
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        assert wait(pace, "api") <= 3
    deadline = time.monotonic() + 30
    while True:
        try:
            assert entered(pace, "api")
            break
        except BusyError as busy:
            assert time.monotonic() < deadline
            time.sleep(busy.after)
    store.close()
