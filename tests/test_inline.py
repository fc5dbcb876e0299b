"""A ledger's work without a broker: what becomes of items whose children die, are late, or find the ledger away. Real children."""

import os
import signal
import time

import pytest
from ledgers import outcome, send

from docpipe.errors import LedgerError, ResourceError
from docpipe.inline import FALSE_STARTS, Inline
from docpipe.ledger import Hint, claim, items, open_ledger, settle, view
from docpipe.pool import Pool

pytestmark = pytest.mark.queue


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'ledger.sqlite'}"


@pytest.fixture
def ledger(url):
    made = open_ledger(url)
    yield made
    made.close()


def make(setup):
    """A child that does items as `setup` says: the ledger's URL, a file that counts its tries, and what is wrong."""
    url, tries, wrong = setup
    ledger = open_ledger(url)
    answer = outcome(2)

    def work(hint: Hint) -> str:
        with open(tries, "a", encoding="utf-8") as file:  # noqa: PTH123
            file.write("x")
        if wrong == "dies before":
            os.kill(os.getpid(), signal.SIGKILL)
        if wrong == "no ledger":
            return "the ledger does not answer"
        item = claim(ledger, hint, owner="child")
        if item is None:
            return ""
        if hint.kind == "words" and hint.idx == 2:
            if wrong == "dies":
                os.kill(os.getpid(), signal.SIGKILL)
            if wrong == "hangs":
                time.sleep(100)
        settle(ledger, item, answer(item))
        return ""

    return work


def ended(ledger, url, tmp_path, wrong, *, jobs=3, size=2, seconds=None):
    """The jobs, done by children with this wrong."""
    with Pool(make, (url, str(tmp_path / "tries"), wrong), size=size, seconds=seconds) as pool:
        return list(Inline(ledger, pool).run(send(ledger) for _ in range(jobs)))


def pages(ledger, job):
    return {item.page: (item.state, item.crashes, item.error_code) for item in items(ledger, job, kinds=("words",))}


def test_every_job_ends_once(ledger, url, tmp_path):
    done = ended(ledger, url, tmp_path, "", jobs=7)
    assert len({job.id for job in done}) == len(done) == 7
    assert {(job.state, job.status, job.done, job.lost) for job in done} == {("done", "review", 2, 0)}
    assert len((tmp_path / "tries").read_text()) == 7 * 4, "prepare, two pages, merge, each once"


def test_what_else_is_due_keeps_no_job_from_being_done(ledger, url, tmp_path):
    other = send(ledger)
    done = ended(ledger, url, tmp_path, "", size=1)
    assert len(done) == 3 and other not in {job.id for job in done}
    assert view(ledger, other).status == "review"


def test_a_page_whose_child_dies_is_given_up_alone(ledger, url, tmp_path):
    for job in ended(ledger, url, tmp_path, "dies", jobs=2):
        assert pages(ledger, job.id) == {1: ("done", 0, None), 2: ("quarantined", 3, "crash")}
        assert (job.state, job.lost) == ("done", 1)


def test_a_page_that_takes_too_long_is_given_up_at_once(ledger, url, tmp_path):
    (job,) = ended(ledger, url, tmp_path, "hangs", jobs=1, seconds=1.0)
    assert pages(ledger, job.id) == {1: ("done", 0, None), 2: ("quarantined", 0, "deadline")}


def test_children_that_die_before_they_begin_end_the_run(ledger, url, tmp_path):
    with pytest.raises(ResourceError, match=r"before they begin.*-9"):
        ended(ledger, url, tmp_path, "dies before", jobs=1, size=1)
    assert len((tmp_path / "tries").read_text()) == FALSE_STARTS


def test_a_ledger_that_is_away_ends_the_run(ledger, url, tmp_path):
    with pytest.raises(LedgerError, match="does not answer"):
        ended(ledger, url, tmp_path, "no ledger")
