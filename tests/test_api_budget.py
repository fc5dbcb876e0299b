"""What may be spent: never more, whoever calls beside whom."""

import datetime
import threading
from decimal import Decimal

import pytest

from docpipe.backends._api.budget import Budget, job_purse, tenant_purse
from docpipe.backends._api.store import LocalStore, RedisStore
from docpipe.errors import BudgetError

pytestmark = pytest.mark.api

JOB = job_purse("j1", Decimal(1), setting="DOCPIPE_MODEL__API__JOB_USD")
TENANT = tenant_purse("acme", Decimal("1.5"), setting="DOCPIPE_MODEL__API__TENANT_USD", day=datetime.date(2026, 11, 26))
CENT = Decimal("0.01")


def test_money_is_reserved_and_made_true(store):
    budget = Budget(store)
    spending = budget.reserve([JOB], Decimal("0.6"))
    with pytest.raises(BudgetError, match=r"the job j1 may cost 1 USD, 0\.6 USD of it") as problem:
        budget.reserve([JOB], Decimal("0.400001"))
    assert "DOCPIPE_MODEL__API__JOB_USD" in problem.value.hint and not problem.value.retryable and problem.value.exit_code == 44
    spending.settle(Decimal("0.25"))
    assert budget.spent(JOB) == Decimal("0.25")
    spending.settle(Decimal("0.2500001"))  # a bill is never counted as less than it is
    assert budget.spent(JOB) == Decimal("0.250001")
    budget.reserve([JOB], Decimal("0.749999"))
    assert budget.spent(JOB) == 1


def test_a_call_that_was_not_made_gives_everything_back(store):
    budget = Budget(store)
    budget.reserve([JOB, TENANT], Decimal(1)).settle(Decimal(0))
    assert budget.spent(JOB) == budget.spent(TENANT) == 0


def test_all_purses_or_none(store):
    budget = Budget(store)
    budget.reserve([TENANT], Decimal(1))
    with pytest.raises(BudgetError, match="the tenant acme in 2026-11"):
        budget.reserve([JOB, TENANT], Decimal("0.6"))
    assert budget.spent(JOB) == 0 and budget.spent(TENANT) == 1
    budget.reserve([JOB, TENANT], Decimal("0.5"))
    later = tenant_purse("acme", Decimal("1.5"), setting="S", day=datetime.date(2026, 12, 1))
    assert budget.spent(later) == 0


def test_without_a_price_a_budget_cannot_be_kept_but_nothing_can_go_without_a_budget(store):
    budget = Budget(store)
    with pytest.raises(BudgetError, match="nobody knows") as problem:
        budget.reserve([JOB], None)
    assert "price" in problem.value.hint
    budget.reserve([], None).settle(Decimal(5))


@pytest.mark.parametrize("kind", ("local", "redis"))
def test_sixteen_workers_side_by_side_never_spend_too_much(kind, request):
    shared = LocalStore()
    stores = [shared if kind == "local" else RedisStore(request.getfixturevalue("redis_server").url) for _ in range(16)]
    paid: list[Decimal] = []
    most: list[Decimal] = []
    together = threading.Barrier(16, timeout=30)

    def work(store, number):
        budget = Budget(store)
        together.wait()
        while True:
            try:
                spending = budget.reserve([JOB, TENANT], 7 * CENT)
            except BudgetError:
                return
            most.append(budget.spent(JOB))
            cost = CENT * (3 + number % 5)  # no more than what was reserved
            spending.settle(cost)
            paid.append(cost)

    workers = [threading.Thread(target=work, args=(store, number)) for number, store in enumerate(stores)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert not any(worker.is_alive() for worker in workers)
    spent = Budget(stores[0]).spent(JOB)
    assert max(most) <= 1 and sum(paid) == spent == Budget(stores[0]).spent(TENANT)
    assert 1 - 7 * CENT < spent <= 1, "what was given back is there for others"
    for store in stores:
        store.close()
