"""The pool by itself: children that die, hang, cannot start or leak."""

import os
import signal
import time
from pathlib import Path

import pytest

from docpipe.errors import UsageError
from docpipe.pool import Lost, Pool


def make(setup):
    """Children do what their task says."""
    if setup == "broken":
        raise UsageError("no such engine")

    def work(task):
        if task == "die" or (task == "once" and not Path(setup).exists()):
            if task == "once":
                Path(setup).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if task == "hang":
            time.sleep(100)
        return task.upper()

    return work


def test_every_task_comes_back_once(tmp_path):
    tasks = ["a", "die", "b", "once", "c", "hang"]
    answers = dict(Pool(make, str(tmp_path / "mark"), size=2, seconds=1).run(tasks))
    assert answers == {"a": "A", "b": "B", "c": "C", "once": "ONCE", "die": Lost(-signal.SIGKILL), "hang": Lost()}
    assert answers["hang"].late and not answers["die"].late


def test_a_child_that_cannot_be_set_up_ends_the_run():
    with pytest.raises(UsageError, match="no such engine"):
        list(Pool(make, "broken", size=2).run(["a", "b", "c"]))


def test_no_tasks_need_no_child():
    assert list(Pool(make, "broken", size=2).run([])) == []


def test_children_are_replaced_before_they_grow_old(tmp_path, monkeypatch):
    monkeypatch.setattr("docpipe.pool._RECYCLE", 2)
    assert sorted(answer for _, answer in Pool(make, str(tmp_path / "mark"), size=1).run("abc")) == ["A", "B", "C"]
