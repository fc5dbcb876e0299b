"""A queue under fire: python tests/chaos.py --seconds 45 --seed 1

Small documents keep coming, some with a page that kills whoever reads it, some with a webhook whose receiver fails now and then, while a
schedule drawn from the seed kills, freezes and replaces the queue's processes. Then the fire stops, every job has SETTLE seconds to end,
and `chaos_check` says what is wrong: exit code 1 if anything is. The seed fixes what is done when and to whom, not what it hits.
"""

import argparse
import contextlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar, get_args

import psutil
from chaos_check import POISON, Sown, violations
from chaos_receiver import Hooks, listening
from queues import LEASE_S, SECRET, Queue, obeying, text_pages, until
from servers import RedisServer

from docpipe.errors import DocpipeError
from docpipe.ledger import Lane

Answer = TypeVar("Answer")
Shot = Literal["kill group", "kill child", "kill dispatcher", "kill redis", "freeze", "deploy"]
SHOTS: tuple[Shot, ...] = get_args(Shot)
GAP_S = (1.5, 4.0)  # between two shots: a process has to come up again for the next one to hit something
FROZEN_S = LEASE_S + 2
# That a worker has to end by itself: Celery's 25 s, two waits for a locked ledger (4 s), its last word (2 s), a broker that is away (5 s),
# and what a loaded machine takes. docker-compose.yml gives as much.
DEPLOY_S = 45.0
ACCEPT_S = 60.0  # that a submission may be refused while a frozen worker keeps the ledger, each time with an error that says to try again
SETTLE_S = 120.0
MOST_JOBS = 12  # unfinished at a time, so that what is left when the fire stops is work of seconds
SLOW_S = "0.2"  # a page's reading, so that shots hit some
# Lanes, pool and slots of each worker; two serve every page, so that work goes on while one is gone.
WORKERS: tuple[tuple[tuple[Lane, ...], str, int], ...] = (
    (("prepare", "gpu", "merge"), "prefork", 2),
    (("prepare", "gpu", "merge"), "prefork", 1),
    (("alone",), "prefork", 1),
    (("deliver",), "threads", 2),
)


@dataclass
class Group:
    """A worker with its pool: what takes the place of the process when it is gone, and until when it is frozen."""

    lanes: tuple[Lane, ...]
    pool: str
    slots: int
    process: subprocess.Popen[bytes]
    frozen_until: float | None = None
    was_ready: bool = False


class Fire:
    """Fires at a queue's processes and brings up others in their place, as a supervisor would; all in the thread that calls."""

    def __init__(self, queue: Queue, *, seed: int) -> None:
        self.queue = queue
        self.hits: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._random = random.Random(seed)
        self._deck: list[Shot] = []
        self._leaving: list[tuple[subprocess.Popen[bytes], float]] = []  # since when
        self.slowest_s = 0.0  # of those that ended by themselves after SIGTERM
        self.dispatcher = queue.dispatcher()
        self.groups = [Group(*worker, self._start(*worker)) for worker in WORKERS]

    def wait_for_gap(self) -> float:
        """Seconds until the next shot."""
        return self._random.uniform(*GAP_S)

    def shoot(self) -> None:
        """One shot, each kind in turn in an order of its own; none where nothing of its kind is up."""
        if not self._deck:
            self._deck = self._random.sample(SHOTS, len(SHOTS))
        shot, roll = self._deck.pop(), self._random.random()
        if shot in ("kill dispatcher", "kill redis"):
            self._kill_dispatcher() if shot == "kill dispatcher" else self._kill_redis()
        else:
            targets = [group for group in self.groups if self.is_up(group) and (shot != "kill child" or group.pool == "prefork")]
            if not targets:
                return
            aims: dict[Shot, Callable[[Group], None]] = {
                "kill group": self._kill_group,
                "kill child": self._kill_child,
                "freeze": self._freeze,
                "deploy": self._deploy,
            }
            aims[shot](targets[int(roll * len(targets))])
        self.hits[shot] += 1

    def supervise(self) -> None:
        """Wake up whose time it is, and replace who has ended."""
        for group in self.groups:
            if group.frozen_until is not None and time.monotonic() > group.frozen_until:
                self.thaw(group)
            if group.process.poll() is not None:
                self.hits["ended by itself"] += 1
                self._replace(group)
        if self.dispatcher.poll() is not None:
            self.wrong.append(f"the dispatcher ended by itself: {self.queue.log(self.dispatcher)}")
            self.dispatcher = self.queue.dispatcher()
        for process, since in self._leaving[:]:
            if process.poll() is not None:
                self.slowest_s = max(self.slowest_s, time.monotonic() - since)
                self._leaving.remove((process, since))
            elif time.monotonic() > since + DEPLOY_S:
                self.wrong.append(f"a worker did not end within {DEPLOY_S:g} s of SIGTERM: {self.queue.log(process)}")
                self._ask_where(process)
                self._kill(process)
                self._leaving.remove((process, since))

    def thaw(self, group: Group) -> None:
        group.frozen_until = None
        self._each(group.process, psutil.Process.resume)

    def cease(self) -> None:
        """No process is frozen any more."""
        for group in self.groups:
            if group.frozen_until is not None:
                self.thaw(group)

    # ---- shots -------------------------------------------------------------------------------------------------------

    def _kill_dispatcher(self) -> None:
        self._kill(self.dispatcher)
        self.dispatcher = self.queue.dispatcher()

    def _kill_redis(self) -> None:
        self.queue.redis.kill()
        self.queue.redis.start()

    def _kill_group(self, group: Group) -> None:
        self._kill(group.process)
        self._replace(group)

    def _kill_child(self, group: Group) -> None:
        """Any but one that has died by itself a moment ago."""
        with contextlib.suppress(psutil.NoSuchProcess, IndexError):
            self._random.choice(self.queue.children(group.process)).kill()

    def _freeze(self, group: Group) -> None:
        group.frozen_until = time.monotonic() + FROZEN_S
        self._each(group.process, psutil.Process.suspend)

    def _deploy(self, group: Group) -> None:
        """The new one starts while the old one ends."""
        group.process.send_signal(signal.SIGTERM)
        self._leaving.append((group.process, time.monotonic()))
        self._replace(group)

    # ---- processes ---------------------------------------------------------------------------------------------------

    def _start(self, lanes: tuple[Lane, ...], pool: str, slots: int) -> subprocess.Popen[bytes]:
        return self.queue.worker(*lanes, pool=pool, slots=slots, wait=False)

    def _replace(self, group: Group) -> None:
        group.frozen_until, group.was_ready = None, False
        group.process = self._start(group.lanes, group.pool, group.slots)

    def is_up(self, group: Group) -> bool:
        if not group.was_ready:
            group.was_ready = "ready." in self.queue.log(group.process).read_text(errors="replace")
        return group.was_ready and group.frozen_until is None and group.process.poll() is None

    def _each(self, process: subprocess.Popen[bytes], act: Callable[[psutil.Process], None]) -> None:
        """Do it to all that the process has started, then to itself."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    act(one)

    def _ask_where(self, process: subprocess.Popen[bytes]) -> None:
        """A worker's log tells the stack of each of its threads."""
        process.send_signal(signal.SIGUSR1)
        time.sleep(1)

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        """At once, with all that it has started: frozen first, so that it starts no more meanwhile."""
        process.send_signal(signal.SIGSTOP)
        self._each(process, psutil.Process.kill)
        process.wait(10)


class Sower(threading.Thread):
    """Keeps small documents coming, each under a key of its own; what is refused with an error that a retry can help is submitted again.

    A thread of its own: a worker that was frozen in the middle of a transaction keeps everybody else's waiting on SQLite, and whoever is
    to thaw it must not be among them.
    """

    def __init__(self, queue: Queue, address: str, *, seed: int) -> None:
        super().__init__(daemon=True)
        self.sown: list[Sown] = []
        self.refused: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._queue = queue
        self._address = address
        self._random = random.Random(seed + 1)
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(0.5):
            try:
                if len(self._insist(lambda: self._queue.client.jobs(unfinished=True))) < MOST_JOBS:
                    self._sow()
            except Exception as problem:
                self.wrong.append(f"a submission was refused for good: {problem!r}")

    def stop(self) -> None:
        """No more jobs once this returns."""
        self._stopped.set()
        self.join()

    def _sow(self) -> None:
        number = len(self.sown)
        words = [f"j{number}p{page}" for page in range(1, self._random.randint(1, 8) + 1)]
        if len(words) > 1 and self._random.random() < 0.3:
            words[self._random.randrange(1, len(words))] = POISON
        receiver = self._random.choice(("/file", "/memory", None))
        path, request = text_pages(self._queue.folder / f"j{number}.pdf", words), obeying("obeys.py:First")
        wishes = {"key": f"j{number}", "webhook": receiver and self._address + receiver}
        job = self._insist(lambda: self._queue.client.submit(path, request, **wishes))
        self.sown.append(Sown(job, tuple(words), webhook=receiver is not None))

    def _insist(self, ask: Callable[[], Answer]) -> Answer:
        """Ask again while the answer is an error that a retry can help."""
        deadline = time.monotonic() + ACCEPT_S
        while True:
            try:
                return ask()
            except DocpipeError as problem:
                if not problem.retryable or time.monotonic() > deadline:
                    raise
                self.refused[problem.code] += 1
                time.sleep(0.5)


def burn(fire: Fire, seconds: float) -> float:
    """Shoot for so long; returns the time of the last shot."""
    begin = shot = time.monotonic()
    next_shot = begin + fire.wait_for_gap()
    while (now := time.monotonic()) < begin + seconds:
        if now >= next_shot:
            fire.shoot()
            shot = time.monotonic()
            next_shot = shot + fire.wait_for_gap()
        fire.supervise()
        time.sleep(0.05)
    fire.cease()
    return shot


def settle(fire: Fire, queue: Queue) -> None:
    """Until every job has ended, or its time is over."""
    deadline = time.monotonic() + SETTLE_S
    while queue.client.jobs(unfinished=True) and time.monotonic() < deadline:
        fire.supervise()
        time.sleep(0.2)


def summary(queue: Queue, fire: Fire, sower: Sower, hooks: Hooks, settled: float) -> Iterator[str]:
    sown = sower.sown
    items = [item for one in sown for item in queue.client.items(one.job)]
    yield f"jobs {len(sown)}, with a webhook {sum(one.webhook for one in sown)}, with a poison page {sum(bool(one.poison) for one in sown)}"
    yield "refused, then accepted: " + (", ".join(f"{code} {count}" for code, count in sorted(sower.refused.items())) or "none")
    yield f"pages {sum(len(one.words) for one in sown)}, readings begun {len(queue.readings())}"
    yield f"items {len(items)}, attempts {sum(item.attempts for item in items)}, crashes {sum(item.crashes for item in items)}"
    yield f"quarantined {sum(item.state == 'quarantined' for item in items)}"
    yield f"shots {sum(fire.hits[shot] for shot in SHOTS)}: " + ", ".join(f"{what} {count}" for what, count in sorted(fire.hits.items()))
    yield f"webhooks heard {len(hooks.heard)}, answered: " + ", ".join(f"{how} {count}" for how, count in sorted(hooks.answers.items()))
    yield f"workers ended within {fire.slowest_s:.1f} s of SIGTERM"
    yield f"settled {settled:.1f} s after the last shot"


def run(folder: Path, *, seconds: float, seed: int) -> bool:
    """Whether all was well; says what happened."""
    (folder / "redis").mkdir()
    redis = RedisServer(folder / "redis")
    redis.start()
    queue = Queue(folder, redis, f"sqlite:///{folder / 'ledger.sqlite'}")
    hooks = Hooks(folder, secret=SECRET, seed=seed + 2)
    try:
        queue.obey("slow", SLOW_S)
        fire = Fire(queue, seed=seed)
        until(lambda: all(map(fire.is_up, fire.groups)), 120)
        with listening(hooks) as address:
            sower = Sower(queue, address, seed=seed)
            sower.start()
            shot = burn(fire, seconds)
            sower.stop()
            settle(fire, queue)
            settled = time.monotonic() - shot
        idle = [] if sower.sown else ["nothing was submitted"]
        wrong = idle + fire.wrong + sower.wrong + violations(queue.ledger, queue.client, sower.sown, hooks.heard)
        said = [*summary(queue, fire, sower, hooks, settled), f"violations {len(wrong)}", *wrong]
        sys.stdout.write("\n".join(said) + "\n")
        return not wrong
    finally:
        queue.close()
        redis.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=45.0, help="how long the fire lasts")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="docpipe-chaos-"))
    well = run(folder, seconds=options.seconds, seed=options.seed)
    if well:
        shutil.rmtree(folder)
    else:
        sys.stdout.write(f"ledger, store and logs: {folder}\n")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
