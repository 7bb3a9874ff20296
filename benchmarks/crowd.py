"""Many Dask workers in one process, for who measures the scheduler's side alone.

python benchmarks/crowd.py ADDRESS COUNT THREADS
"""

import asyncio
import sys
import tempfile

import dask.config
from distributed import Worker

# What a worker does for its own sake, which a thousand in one process have no time for.
QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "10m",
    "distributed.admin.tick.interval": "10m",
}


async def crowd(address: str, count: int, threads: int) -> None:
    """Join as `count` workers that can do so many tasks at once, and stay."""
    with tempfile.TemporaryDirectory() as folder:
        workers = [
            Worker(
                address,
                nthreads=threads,
                name=f"crowd-{number}",
                host="127.0.0.1",
                memory_limit=0,
                local_directory=folder,
                dashboard=False,
            )
            for number in range(count)
        ]
        for first in range(0, count, 16):
            await asyncio.gather(*workers[first : first + 16])
        print("joined", flush=True)
        await asyncio.gather(*(worker.finished() for worker in workers))


if __name__ == "__main__":
    with dask.config.set(QUIET):
        asyncio.run(crowd(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
