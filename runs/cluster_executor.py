"""Dask's executor, with futures that end whatever happens."""

import asyncio
from concurrent.futures import CancelledError, Future
from typing import Any

from distributed.cfexecutor import ClientExecutor

UNFETCHED = (OSError, TimeoutError, asyncio.TimeoutError, asyncio.CancelledError, CancelledError)


class ClusterExecutor(ClientExecutor):
    """As Dask's own, which leaves a future open for ever when its result cannot be fetched."""

    def _wrap_future(self, future: Any) -> Future:
        ours: Future = Future()

        def cancel_theirs(ours: Future) -> None:
            if ours.cancelled() and future.status != "cancelled":
                future.cancel()

        ours.add_done_callback(cancel_theirs)
        self._client.loop.add_callback(_pass_on, future, ours)
        return ours


async def _pass_on(theirs: Any, ours: Future) -> None:
    """Let our future end as theirs does; with a `CancelledError` if the scheduler is lost."""
    result: Any = None
    error: BaseException | None = None
    try:
        result = await theirs._result(raiseit=False)
        if theirs.status == "error":
            error = result[1].with_traceback(result[2])
        elif theirs.status == "cancelled":
            error = CancelledError()
    except UNFETCHED as problem:
        error = CancelledError(str(problem))
    except Exception as problem:  # It cannot be unpickled here.
        error = problem
    if not ours.set_running_or_notify_cancel():
        return  # Nobody wants it any more.
    if error is None:
        ours.set_result(result)
    else:
        ours.set_exception(error)
