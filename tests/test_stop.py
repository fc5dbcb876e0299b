"""A stop waits for the callback that runs, and does not wait for a loop that does not."""

import os
import signal
import time

import pytest
from kombu.asynchronous import Hub

from workers.stop import HEARD, Stop

NUMBER = signal.SIGUSR2


@pytest.fixture
def hub():
    hub, before = Hub(), signal.getsignal(NUMBER)
    yield hub
    signal.signal(NUMBER, before)
    hub.close()


def test_a_stop_comes_between_two_callbacks(hub):
    told: list[str] = []
    signal.signal(NUMBER, lambda *_: told.append("stopped"))
    Stop(hub, NUMBER)

    def callback() -> None:
        os.kill(os.getpid(), NUMBER)
        time.sleep(0.2)
        told.append("called back")

    hub.call_soon(callback)
    begin = time.monotonic()
    while "stopped" not in told and time.monotonic() < begin + 10:
        hub.run_once()
    assert told == ["called back", "stopped"]
    assert time.monotonic() - begin < HEARD
    time.sleep(HEARD + 0.2)
    hub.run_once()
    assert told == ["called back", "stopped"], "once"


def test_a_loop_that_does_not_run_is_not_waited_for(hub):
    told: list[str] = []
    signal.signal(NUMBER, lambda *_: told.append("stopped"))
    Stop(hub, NUMBER)
    begin = time.monotonic()
    os.kill(os.getpid(), NUMBER)
    while not told and time.monotonic() < begin + 10:
        time.sleep(0.05)
    assert told == ["stopped"] and HEARD <= time.monotonic() - begin < HEARD + 2
    hub.run_once()
    assert told == ["stopped"], "once"
