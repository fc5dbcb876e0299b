"""Things done in several threads: their order, their errors, and how many are at work."""

import threading

import pytest

from docpipe.threads import in_order


def test_outcomes_come_in_order_whatever_is_done_first():
    later = threading.Event()

    def do(number):
        if number == 0:
            assert later.wait(20), "the others are done meanwhile"
        if number == 3:
            later.set()
        return number * 10

    assert list(in_order(do, range(5), together=2)) == [0, 10, 20, 30, 40]


def test_so_many_are_done_at_a_time_and_no_more():
    together, at_work, most, lock = threading.Barrier(3), [], [], threading.Lock()

    def do(number):
        with lock:
            at_work.append(number)
            most.append(len(at_work))
        together.wait(20)  # breaks where fewer than three are at it
        with lock:
            at_work.remove(number)
        return number

    assert list(in_order(do, range(6), together=3)) == list(range(6))
    assert max(most) == 3


def test_an_error_is_raised_and_nothing_more_is_begun():
    begun = []

    def do(number):
        begun.append(number)
        if number == 1:
            raise ValueError("one")
        return number

    with pytest.raises(ValueError, match="one"):
        list(in_order(do, range(1000), together=2))
    assert len(begun) < 1000


def test_one_at_a_time_is_done_in_this_thread():
    assert {*in_order(lambda _: threading.get_ident(), [1, 2, 3], together=1)} == {threading.get_ident()}
