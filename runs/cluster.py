"""Workers of a Dask cluster: processes anywhere that a Dask scheduler knows.

All that is known of Dask stands here, in `cluster_executor` and in `cluster_worker`. Tasks are
given out a few at a time, to whoever has room, so that a worker that joins is used at once;
another does again what one had begun that left. The workers share no disk: what they need of a
model directory travels to each of them once for each version, by a hash of its content.
"""

import asyncio
import collections
import contextlib
import functools
import heapq
import itertools
import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from queue import Empty, SimpleQueue
from typing import Any

from runs import versions
from runs.arguments import HANG_TIMEOUT, BadInput
from runs.executor import Ended, Workers, readable, report
from runs.flights import Flight, Waiting, deadly
from runs.preparation import Preparation

try:
    from runs import cluster_worker
    from runs.cluster_executor import ClusterExecutor

    from distributed import Client, KilledWorker
except ModuleNotFoundError as missing:
    raise BadInput(
        f"A cluster needs Dask, which is not installed ({missing.name}): "
        'pip install --constraint requirements.lock "distributed".',
        options=("cluster",),
    ) from None

CONNECTING = 15  # seconds that a scheduler has for its first answer
LOOK = 1.0  # seconds between two looks at who is there
LISTEN = 10.0  # seconds, at most, between two looks at when each was last heard of
GREETING = 40.0  # seconds, at least, for an answer: Dask tries for 30 to reach who is gone
SENT_TOGETHER = 64  # workers who get files at once: some GB through the scheduler in one greeting
UNPAUSED = "more memory, or --memory-limit 0, would help"
OPTION = ("cluster",)
UNANSWERED = (OSError, TimeoutError, asyncio.TimeoutError, CancelledError, RuntimeError)

# What Dask has to say of a lost connection stands in our one sentence.
for talkative in ("distributed", "distributed.client", "distributed.gc", "tornado.application"):
    logging.getLogger(talkative).setLevel(logging.CRITICAL)


class ClusterWorkers(Workers):
    """The workers of the scheduler at an address, however many there are at the time.

    A worker is greeted before its first task: its versions are compared, and it gets what is to be
    made ready (`Preparation`). Raises `BadInput` when the scheduler does not answer, for
    `hang_timeout` seconds if it did before, or has no workers for so long.
    """

    _work = staticmethod(cluster_worker.work)  # what a worker does with a task

    def __init__(
        self,
        address: str,
        preparation: Preparation | None = None,
        hang_timeout: float = HANG_TIMEOUT,
    ):
        self._address = address
        self._hang_timeout = hang_timeout
        self._kind, self._pickled, self._files = (preparation or Preparation()).packed()
        self._staff: dict[str, int] = {}  # address → tasks that it can do at once
        self._ready: set[str] = set()  # those who were greeted
        self._silent: set[str] = set()
        self._paused: dict[str, float] = {}  # who takes no work now, and since when
        self._stuck: set[str] = set()  # those of them for whom nobody waits any more
        self._heard: dict[str, tuple[float, float]] = {}  # last sign of life: theirs, our clock
        self._looked = self._listened = self._had_workers = -float("inf")

    def __enter__(self) -> "ClusterWorkers":
        self._client = _client(self._address, min(CONNECTING, self._hang_timeout))
        if anybody_may_join(self._address):
            print(
                f"Warning: {self._address} asks nobody for a key (docs/cluster.md).",
                file=sys.stderr,
            )
        self._executor = ClusterExecutor(self._client, pure=False)
        self._scheduler: Any = self._client.scheduler
        try:
            self._had_workers = time.monotonic()
            while not self._staff:
                self._look()
                time.sleep(0 if self._staff else 0.2)
            self._greet(self._staff.keys() - self._silent)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, *_) -> None:
        # What was begun and is not wanted any more is cancelled with its futures.
        with contextlib.suppress(*UNANSWERED):
            self._client.close(timeout=5)

    @property
    def count(self) -> int:
        return len(self._staff)

    @property
    def at_once(self) -> int:
        return min(self._staff.values(), default=1)

    def each(
        self, function: Callable, tasks: Iterable[tuple], together: int = 1
    ) -> Iterator[tuple[int, Any]]:
        waiting = Waiting(function, tasks)
        alone = together == 1
        flights: dict[int, Flight] = {}
        ended: SimpleQueue[Ended] = SimpleQueue()
        numbers = itertools.count()
        self._had_workers = time.monotonic()  # Nobody has looked since the last call.
        while flights or not waiting.over:
            self._look()
            for number in self._lost(flights):
                flight = flights.pop(number)
                flight.lost(died=flight.worker not in self._staff)
                waiting.again(flight)
            for worker in self._vacancies(flights.values(), together):
                if waiting.over:
                    break
                number, flight = next(numbers), waiting.next()
                flights[number], flight.worker = flight, worker
                flight.future = self._executor.submit(
                    self._work, self._kind, alone, flight.pickled, workers=[worker]
                )
                flight.future.add_done_callback(functools.partial(report, ended, number))
            over = [
                (flights.pop(one.number), one) for one in _all_of(ended) if one.number in flights
            ]
            for flight, one in over:
                if one.error is None and not _is_stranger(one):
                    yield flight.index, one.result
            for flight, one in over:
                if one.error is not None:
                    raise self._explained(one.error, flight.worker)
            strangers = [(flight, one.result.address) for flight, one in over if _is_stranger(one)]
            self._ready.difference_update(address for _, address in strangers)
            self._greet(address for _, address in strangers)
            for flight, _ in strangers:
                waiting.again(flight)

    def _vacancies(self, flights: Iterable[Flight], most: int) -> Iterator[str]:
        """The workers that have room for a task more, again and again, the idlest first."""
        busy = collections.Counter(flight.worker for flight in flights)
        room = {worker: min(most, threads) for worker, threads in self._staff.items()}
        able = room.keys() - self._silent - self._paused.keys()
        idlest = [(busy[worker], worker) for worker in able]
        heapq.heapify(idlest)
        while idlest:
            tasks, worker = heapq.heappop(idlest)
            if tasks < room[worker]:
                yield worker
                heapq.heappush(idlest, (tasks + 1, worker))

    def _look(self) -> None:
        """See who is there, if it is time for that."""
        now = time.monotonic()
        if now < self._looked + LOOK:
            return
        before, self._staff = self._staff, self._ask(self._scheduler.ncores)
        # The rest were paused by Dask for their memory, or begin or end just now.
        running = self._ask(self._scheduler.ncores_running)
        self._paused = {
            one: self._paused.get(one, now) for one in self._staff.keys() - running.keys()
        }
        self._looked = now
        for worker in before.keys() - self._staff.keys():
            self._warn(worker, "left")
            self._ready.discard(worker)
        stuck = {one for one, since in self._paused.items() if now > since + self._hang_timeout}
        for worker in stuck - self._stuck:
            self._warn(worker, f"is paused by Dask ({UNPAUSED})")
        self._stuck = stuck
        if self._staff.keys() - self._silent - self._paused.keys():
            self._had_workers = now
        elif now > self._had_workers + self._hang_timeout:
            raise self._without_workers()
        elif before and not self._staff:
            print("Warning: no worker is left; waiting for one.", file=sys.stderr)
        if now > self._listened + min(LISTEN, self._hang_timeout / 4):
            self._listen(self._hang_timeout)
            self._listened = now

    def _without_workers(self) -> BadInput:
        paused = self._staff.keys() - self._silent
        what = f"has had {'only paused' if paused else 'no'} workers for {self._hang_timeout:g}"
        how = UNPAUSED if paused else f"start some (dask worker {self._address})"
        return BadInput(
            f"The Dask scheduler at {self._address} {what} seconds; {how}.", options=OPTION
        )

    def _warn(self, worker: str, what: str) -> None:
        again = "What it had begun is done again."
        print(f"Warning: worker {worker} {what}. {again}", file=sys.stderr)

    def _listen(self, limit: float) -> None:
        """Notice who has not been heard of for so many seconds."""
        known = self._ask(self._scheduler.identity)["workers"]
        # The more there are, the more seldom Dask lets each give a sign of life.
        limit = max(limit, 3 * (len(known) / 200 + 1))
        last = {worker: facts["last_seen"] for worker, facts in known.items()}
        now, before = time.monotonic(), self._heard
        self._heard = {
            one: before[one] if one in before and before[one][0] == sign else (sign, now)
            for one, sign in last.items()
        }
        latest = max(last.values(), default=0)  # by the scheduler's clock
        silent = {
            one
            for one, (sign, noticed) in self._heard.items()
            if max(latest - sign, now - noticed) > limit
        }
        for worker in silent - self._silent:
            self._warn(worker, "hangs")
        self._silent = silent

    def _lost(self, flights: dict[int, Flight]) -> list[int]:
        """Tasks that are with workers who hang, left or are paused for long."""
        there = self._staff.keys() - self._silent - self._stuck
        return [number for number, one in flights.items() if one.worker not in there]

    def _ask(self, question: Callable, *arguments, **details) -> Any:
        """What the scheduler answers. Raises `BadInput` when it does not."""
        details["callback_timeout"] = self._hang_timeout
        try:
            return self._client.sync(question, *arguments, **details)
        except UNANSWERED as problem:
            raise self._gone(problem) from None

    def _gone(self, problem: BaseException) -> BadInput:
        return BadInput(
            f"The Dask scheduler at {self._address} does not answer any more ({_reason(problem)}); "
            "what is done is kept: give the same command when it is there again.",
            options=OPTION,
        )

    def _explained(self, error: BaseException, worker: str) -> BaseException:
        """What went wrong with a task of a worker, as one sentence."""
        if isinstance(error, KilledWorker):
            return deadly(error.last_worker.address)
        if isinstance(error, CancelledError):
            return self._gone(error)
        if isinstance(error, OSError | ModuleNotFoundError):
            return _unable(worker, error)
        return readable(error)

    def _greet(self, workers: Iterable[str]) -> None:
        """Compare versions with these workers, and let them be ready for what is to be done."""
        new = sorted(set(workers) - self._ready)
        if not new:
            return
        ours, lacking = versions.here(), []
        answers = self._run(cluster_worker.greet, self._kind, workers=new)
        for worker, answer in answers.items():
            if isinstance(answer, Exception):
                raise _unable(worker, answer)
            theirs, processor, knows = answer
            if different := versions.differences(theirs, ours):
                raise BadInput(
                    f"Worker {worker} has other versions than this machine ({different}); install "
                    "the same on both.",
                    options=OPTION,
                )
            if processor != cluster_worker.processor():
                print(
                    f"Warning: worker {worker} computes with {processor}, this machine with "
                    f"{cluster_worker.processor()}; scores may differ in their last digits.",
                    file=sys.stderr,
                )
            if not knows:
                lacking.append(worker)
        for first in range(0, len(lacking), SENT_TOGETHER):
            some = lacking[first : first + SENT_TOGETHER]
            given = self._kind, self._pickled, self._files
            for worker, answer in self._run(cluster_worker.keep, *given, workers=some).items():
                if answer is not None:
                    raise _unable(worker, answer)
        self._ready.update(answers)

    def _run(self, function: Callable, *arguments, workers: list[str]) -> dict[str, Any]:
        """What a function returns, or raises, in each of these workers that is still there."""
        patience = max(GREETING, self._hang_timeout)
        details = {"workers": workers, "on_error": "return", "callback_timeout": patience}
        try:
            answers = self._client.sync(self._client._run, function, *arguments, **details)
        except UNANSWERED as problem:
            # One that hangs keeps all waiting; it was not heard of meanwhile.
            self._listen(patience / 2)
            if not self._silent.intersection(workers):
                raise self._gone(problem) from None
            answering = [worker for worker in workers if worker not in self._silent]
            return self._run(function, *arguments, workers=answering)
        return {one: answer for one, answer in answers.items() if not isinstance(answer, OSError)}


def anybody_may_join(address: str) -> bool:
    """Whether who reaches it from another machine may run code there and here: it has no TLS."""
    protocol, _, rest = address.rpartition("://")
    return protocol != "tls" and not rest.startswith(("127.", "localhost:", "[::1]:"))


def _client(address: str, timeout: float) -> Client:
    try:
        return Client(address, timeout=timeout, set_as_default=False)
    except Exception as problem:  # Of a wrong address alone Dask raises five kinds.
        raise BadInput(
            f"No Dask scheduler answers at {address} ({_reason(problem)}).", options=OPTION
        ) from None


def _all_of(ended: SimpleQueue) -> list[Ended]:
    """What has ended, when something has or it is time to look around."""
    found = []
    with contextlib.suppress(Empty):
        found.append(ended.get(timeout=LOOK))
        while True:
            found.append(ended.get_nowait())
    return found


def _is_stranger(one: Ended) -> bool:
    return isinstance(one.result, cluster_worker.NotReady)


def _unable(worker: str, problem: BaseException | str) -> BadInput:
    reason = _reason(problem)
    if isinstance(problem, ModuleNotFoundError):
        reason += "; install the project there"
    return BadInput(f"Worker {worker} cannot work for us ({reason}).", options=OPTION)


def _reason(problem: BaseException | str) -> str:
    """The first line of what went wrong, without its full stop."""
    return (str(problem).strip() or type(problem).__name__).splitlines()[0].rstrip(".")
