"""Processes that ask one API at the pace they share, for tests: `pacing.py REDIS LIMITS call URL SECONDS` or `... hold`.

`call`: four threads ask the URL again and again for so many seconds after a line on standard input. `hold`: enters, says so, and waits to
be killed. The sleeping that a worker must not do stands for its coming back later.
"""

import sys
import threading
import time
import urllib.error
import urllib.request

from docpipe.backends._api.pace import Limits, Pace
from docpipe.backends._api.store import RedisStore
from docpipe.errors import BusyError

THREADS = 4


def call(pace: Pace, url: str, end: float) -> None:
    while time.monotonic() < end:
        try:
            with pace.enter("api"), urllib.request.urlopen(url, timeout=10):
                pass
        except BusyError as busy:
            time.sleep(min(busy.after, max(end - time.monotonic(), 0)))
        except urllib.error.HTTPError as refused:  # the server counts it
            refused.close()


def say(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main() -> None:
    redis, limits, what, *rest = sys.argv[1:]
    pace = Pace(RedisStore(redis), Limits.model_validate_json(limits))
    if what == "hold":
        pace.enter("api")
        say("in")
        time.sleep(600)
    say("ready")
    sys.stdin.readline()
    end = time.monotonic() + float(rest[1])
    threads = [threading.Thread(target=call, args=(pace, rest[0], end)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
