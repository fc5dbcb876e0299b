"""What every call to a server passes: an answer that is known already needs none; the host's circuit, limits and budgets may say no; in the
end it is noted what the call took and cost. Knows what is asked and what came back; no connection.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import chain

from docpipe.backends import ApiOptions, ModelOptions, Question, Reply
from docpipe.backends._api.answers import Answers, answer_key
from docpipe.backends._api.breaker import Breaker
from docpipe.backends._api.budget import Budget, Purse, Spending, job_purse, tenant_purse
from docpipe.backends._api.cost import OVERHEAD, Estimate, cost, image_tokens, load_prices, text_tokens
from docpipe.backends._api.pace import Limits, Pace, Turn
from docpipe.backends._api.request import most_tokens
from docpipe.backends._api.store import Store, open_store
from docpipe.errors import BusyError, EngineError, OutboundError
from docpipe.records import Account

LEAST_SHARE, MOST_SHARE = 0.5, 8.0  # a server that counts images otherwise than we must not make words cost nothing
MOST_KINDS = 256
OVERTIME = 30.0  # seconds beyond those of a call until its place is somebody else's
_NUMBERS = re.compile(r"\d+")
# Of a server's options, what changes nothing about its answers.
_ASIDE = {"key", "requests", "tokens", "calls", "shared", "prices", "job_usd", "tenant_usd", "keep", "keep_bytes"}


class Gate:
    """The way to one model of one server."""

    def __init__(self, options: ModelOptions, host: str) -> None:
        """Raises UsageError for a file of prices that is none, and MissingError where limits are to be shared without the redis package."""
        api = options.api
        self._options, self._api, self._host = options, api, host
        self._key = f"{host}/{options.model}"
        self._shares: dict[str, float] = {}  # kind of question -> tokens that the server counts for one that is estimated of its words
        self._prices = load_prices(api.prices)
        store = shared_store(api)
        limits = Limits(requests=api.requests, tokens=api.tokens, calls=api.calls, seconds=options.seconds + OVERTIME)
        self._breaker, self._pace, self._budget = Breaker(store), Pace(store, limits), Budget(store)
        self._answers = Answers(api.keep, most=api.keep_bytes) if api.keep else None

    def look(self) -> None:
        """Whether a call might be made just now. Raises BusyError with the seconds after which to come back."""
        if self._answers is None:  # else it may be that none need be made
            if (after := self._breaker.open_for(self._host)) > 0:
                raise BusyError(f"{self._host} is left alone for a while", after=after)
            self._pace.look(self._key)

    def ask(self, question: Question, prepare: Callable[[], Callable[[], Reply]]) -> Reply:
        """The reply of the call that `prepare` gives, which is made at once where it may be, or the reply that is kept. Raises what both
        raise, and between them BusyError with the seconds after which to come back, and BudgetError."""
        if self._answers is None:
            return self._admitted(question, prepare)
        return self.known(question, lambda key: self._admitted(question, prepare))

    def known(self, question: Question, find: Callable[[str], Reply]) -> Reply:
        """The reply that is kept, or else the one that is found by the question's key, which is kept from then on."""
        tenant, options = question.account.tenant, self._api.model_dump(mode="json", exclude=_ASIDE)
        key = answer_key(question, model=self._options.model, revision=self._options.revision, parameters=options, tenant=tenant)
        reply = self._answers.get(key, tenant=tenant) if self._answers else None
        if reply is None:
            reply = find(key)
            if self._answers:
                self._answers.put(key, reply, tenant=tenant)
        return reply

    def priced(self, reply: Reply, *, share: Decimal = Decimal(1)) -> Reply:
        """The reply with so much of its price, where the model has one."""
        used = reply.usage
        usd = cost(self._options.model, prompt_tokens=used.prompt_tokens, completion_tokens=used.completion_tokens, prices=self._prices)
        return reply if usd is None else reply.model_copy(update={"usage": used.model_copy(update={"cost_usd": float(usd * share)})})

    def expected(self, question: Question) -> Estimate:
        """What the call takes and costs at the most; once the server has counted such a question, as it counts."""
        share = self._shares.get(_kind(question)) or self._shares.get("", 1.0)
        prompt = self._images(question) + round(share * self._texts(question))
        usd = cost(self._options.model, prompt_tokens=prompt, completion_tokens=most_tokens(question, self._api), prices=self._prices)
        return Estimate(prompt_tokens=prompt, most_cost_usd=usd)

    def _images(self, question: Question) -> int:
        images = chain(question.images, *(shot.images for shot in question.shots))
        return sum(self.image_tokens(*image.size) for image in images)

    def _texts(self, question: Question) -> int:
        texts = [question.system, question.text, *(text for shot in question.shots for text in (shot.text, shot.answer))]
        form = json.dumps(question.schema) if question.schema else ""
        return OVERHEAD + sum(map(text_tokens, [*texts, form]))

    def _learn(self, question: Question, counted: int) -> None:
        """What the server makes of words, by how it counted a question: of these, and of others until it has counted them."""
        share = (counted - self._images(question)) / self._texts(question)
        if len(self._shares) > MOST_KINDS:
            self._shares.clear()
        self._shares[_kind(question)] = self._shares[""] = min(MOST_SHARE, max(LEAST_SHARE, share))

    def image_tokens(self, width: int, height: int) -> int:
        """What an image takes of a question."""
        square = self._api.square
        if square:
            return (width // square) * (height // square)
        return image_tokens(width, height, model=self._options.model, detail=self._api.detail, prices=self._prices)

    def _admitted(self, question: Question, prepare: Callable[[], Callable[[], Reply]]) -> Reply:
        call, expected = prepare(), self.expected(question)
        tokens = expected.prompt_tokens + most_tokens(question, self._api)
        with self._breaker.enter(self._host), self._pace.enter(self._key, tokens=tokens, queue=False) as turn:
            spending = self._budget.reserve(list(self._purses(question.account)), expected.most_cost_usd)
            reply = _made(call, turn, spending)
            self._learn(question, reply.usage.prompt_tokens)
            return self._counted(reply, turn, spending)

    def _counted(self, reply: Reply, turn: Turn, spending: Spending) -> Reply:
        """The reply with its price, where the model has one."""
        used = reply.usage
        turn.settle(used.prompt_tokens + used.completion_tokens)
        usd = cost(self._options.model, prompt_tokens=used.prompt_tokens, completion_tokens=used.completion_tokens, prices=self._prices)
        if usd is None:
            return reply
        spending.settle(usd)
        return reply.model_copy(update={"usage": used.model_copy(update={"cost_usd": float(usd)})})

    def _purses(self, account: Account) -> Iterator[Purse]:
        if self._api.job_usd is not None and account.job:
            yield job_purse(account.job, self._api.job_usd, setting="DOCPIPE_MODEL__API__JOB_USD")
        if self._api.tenant_usd is not None:
            today = datetime.datetime.now(datetime.UTC).date()
            yield tenant_purse(account.tenant, self._api.tenant_usd, setting="DOCPIPE_MODEL__API__TENANT_USD", day=today)


def shared_store(api: ApiOptions) -> Store:
    """Where limits, circuits and budgets are kept."""
    return open_store(api.shared.get_secret_value() if api.shared else None)


def _kind(question: Question) -> str:
    """Questions of one kind differ by numbers, as that of the page, and by their images."""
    texts = [question.system, question.text, *(shot.text + shot.answer for shot in question.shots)]
    return _NUMBERS.sub("", "\n".join(texts))


def _made(call: Callable[[], Reply], turn: Turn, spending: Spending) -> Reply:
    """The call's reply. What was surely not answered costs nothing; what broke off in the middle may have to be paid."""
    try:
        return call()
    except (EngineError, OutboundError) as problem:
        if isinstance(problem, BusyError):
            turn.hold(problem.after)
        if isinstance(problem, EngineError) or problem.status is not None:
            turn.settle(0)
            spending.settle(Decimal(0))
        raise
