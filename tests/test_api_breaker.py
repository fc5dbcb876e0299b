"""When a host is left alone: what counts, for how long, and who tries it out."""

import contextlib

import pytest
from pytest import approx

from docpipe.backends._api.breaker import Breaker, Fuse, verdict
from docpipe.errors import (
    AnswerError,
    BusyError,
    DeadlineError,
    DocpipeError,
    EngineError,
    ForbiddenAddressError,
    OutboundError,
    ResourceError,
)

pytestmark = pytest.mark.api

FUSE = Fuse(failures=3, first=10, longest=60, probe=30)


@pytest.fixture
def breaker(store):
    return Breaker(store, FUSE)


def call(breaker, problem=None, key="host"):
    """One call that ends so."""
    with contextlib.suppress(DocpipeError), breaker.enter(key):
        if problem is not None:
            raise problem


def fail(breaker, times, key="host"):
    for _ in range(times):
        call(breaker, DeadlineError("late"), key)


def refused(breaker, key="host"):
    with pytest.raises(BusyError) as busy:
        breaker.enter(key)
    return busy.value.after


@pytest.mark.parametrize(
    "problem, said",
    (
        (None, "good"),
        (OutboundError("no connection"), "bad"),
        (OutboundError("broken", status=503), "bad"),
        (DeadlineError("late"), "bad"),
        (AnswerError("no such model", status=404), "good"),
        (AnswerError("bad request", status=400), "good"),
        (OutboundError("slow down", status=429), "none"),
        (BusyError("slow down", after=3), "none"),
        (AnswerError("an endless answer"), "none"),
        (ForbiddenAddressError("not called"), "none"),
        (EngineError("no JSON"), "none"),
        (ResourceError("memory"), "none"),
        (KeyboardInterrupt(), "none"),
    ),
)
def test_what_an_error_says_of_the_host(problem, said):
    assert verdict(problem) == said


def test_failures_in_a_row_open_the_circuit_and_then_nobody_calls(breaker):
    fail(breaker, 2)
    call(breaker)
    fail(breaker, 2)
    call(breaker, BusyError("429"))  # neither mends nor breaks
    assert not breaker.is_open("host")
    fail(breaker, 1)
    assert breaker.is_open("host") and breaker.open_for("host") == approx(10) and refused(breaker) == approx(10)
    assert not breaker.is_open("another") and breaker.enter("another")


def test_one_call_tries_the_host_out_and_closes_the_circuit(breaker, ticks):
    fail(breaker, 3)
    ticks[0] += 10.001
    assert not breaker.is_open("host")
    probe = breaker.enter("host")
    assert breaker.is_open("host") and 0 < refused(breaker) <= 10
    with probe:
        pass
    call(breaker)
    fail(breaker, 2)
    assert not breaker.is_open("host")


def test_the_wait_doubles_up_to_the_longest_and_starts_anew_after_an_answer(breaker, ticks):
    fail(breaker, 3)
    waits = []
    for _ in range(5):
        waits.append(breaker.open_for("host"))
        ticks[0] += waits[-1] + 0.001
        fail(breaker, 1)
    assert waits == approx([10, 20, 40, 60, 60])
    ticks[0] += 60.001
    call(breaker, AnswerError("no such model", status=404))
    fail(breaker, 3)
    assert breaker.open_for("host") == approx(10)


def test_a_probe_that_died_or_never_called_gives_its_place_back(breaker, ticks):
    fail(breaker, 3)
    ticks[0] += 10.001
    breaker.enter("host")  # its process is killed
    refused(breaker)
    ticks[0] += 30.001
    call(breaker, BusyError("the rate limit said no"))
    call(breaker)
    assert not breaker.is_open("host")


def test_calls_from_before_the_circuit_opened_tell_nothing(breaker, ticks):
    early = [breaker.enter("host") for _ in range(3)]
    ticks[0] += 1
    fail(breaker, 3)
    with early[0]:
        pass
    assert breaker.is_open("host")
    ticks[0] += 10.001
    probe = breaker.enter("host")
    with pytest.raises(DeadlineError), early[1]:
        raise DeadlineError("late")
    refused(breaker)  # the probe is still out
    with probe:
        pass
    assert not breaker.is_open("host")
