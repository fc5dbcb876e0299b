"""The pool by itself: children that die, hang, cannot start or leak."""

import os
import signal
import time
from collections import deque

import pytest

from docpipe.errors import UsageError
from docpipe.pool import Lost, Pool


def make(setup):
    """Children do what their task says."""
    if setup == "broken":
        raise UsageError("no such engine")

    def work(task):
        if task == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if task == "hang":
            time.sleep(100)
        return None if task == "none" else task.upper()

    return work


def run(pool, tasks):
    """Every task with its answer, as they come."""
    waiting = deque(tasks)
    with pool:
        while waiting or pool.busy:
            while waiting and pool.free:
                pool.give(waiting.popleft())
            yield from pool.answers()


def test_every_task_comes_back_once():
    answers = list(run(Pool(make, "", size=2, seconds=1), ["a", "die", "b", "none", "c", "hang"]))
    assert dict(answers) == {"a": "A", "b": "B", "c": "C", "none": None, "die": Lost(-signal.SIGKILL), "hang": Lost()}
    assert len(answers) == 6 and dict(answers)["hang"].late and not dict(answers)["die"].late


def test_waiting_has_an_end():
    with Pool(make, "", size=1) as pool:
        pool.give("hang")
        begin = time.monotonic()
        while time.monotonic() - begin < 3:
            assert list(pool.answers(0.2)) == []
        assert (pool.busy, pool.free) == (1, 0)


def test_a_child_that_cannot_be_set_up_ends_the_run():
    with pytest.raises(UsageError, match="no such engine"):
        list(run(Pool(make, "broken", size=2), ["a", "b", "c"]))


def test_no_tasks_need_no_child():
    assert list(run(Pool(make, "broken", size=2), [])) == []


def test_children_are_replaced_before_they_grow_old(monkeypatch):
    monkeypatch.setattr("docpipe.pool._RECYCLE", 2)
    assert sorted(answer for _, answer in run(Pool(make, "", size=1), "abc")) == ["A", "B", "C"]
