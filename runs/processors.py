"""The processors that this process may use, and what they can do."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from runs.platform_check import CPUINFO, processor_flags

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def cores() -> int:
    """The processors this process may use, at least one.

    As many as its affinity mask has, or PYTHON_CPU_COUNT says in its place; fewer where a
    container's quota leaves less time than theirs.
    """
    allowed = _allowed()
    quota = cgroup_quota(CGROUPS, OWN_CGROUPS)
    return allowed if quota is None else min(allowed, quota)


def instructions(cpuinfo: str | os.PathLike = CPUINFO) -> set[str]:
    """The processor's instruction sets, as Linux names them, less what oneDNN is told not to use.

    oneDNN computes nearly everything here. ONEDNN_MAX_CPU_ISA lets it play a plainer processor.
    """
    flags = set(processor_flags(cpuinfo))
    most = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    if most in ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2"):
        return {flag for flag in flags if not flag.startswith(("avx512", "amx"))}
    if most in ("AVX512_CORE", "AVX512_CORE_VNNI"):
        return {
            flag for flag in flags if not flag.startswith(("avx512_bf16", "avx512_fp16", "amx"))
        }
    return flags


def native_precisions(cpuinfo: str | os.PathLike = CPUINFO) -> list[str]:
    """The precisions that the processor multiplies natively, the fastest last."""
    return ["float32", "bfloat16"] if "avx512_bf16" in instructions(cpuinfo) else ["float32"]


def best_precision() -> str:
    """The fastest precision that the processor has natively."""
    return native_precisions()[-1]


def _allowed() -> int:
    if hasattr(os, "process_cpu_count"):  # Python 3.13; knows PYTHON_CPU_COUNT and -X cpu_count
        return os.process_cpu_count() or 1
    asked = os.environ.get("PYTHON_CPU_COUNT", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cgroup_quota(cgroups: Path, own: Path) -> int | None:
    """The processors whose time the quotas of Linux leave a process, rounded up; None if all.

    `cgroups` is where the groups are mounted, `own` the file that names those of the process. The
    least of its group and all above counts, of version 1 or 2; in a container those above the
    container's own are out of sight.
    """
    quotas = map(_quota, _groups(cgroups, own))
    return min((quota for quota in quotas if quota is not None), default=None)


def _groups(cgroups: Path, own: Path) -> Iterator[Path]:
    """The directories of a process's groups and of those above them that may have a quota."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:  # version 2, alone or beside version 1
            mounts = (cgroups, cgroups / "unified")
        elif "cpu" in controllers.split(","):
            mounts = (cgroups / "cpu", cgroups / controllers)
        else:
            continue
        group = PurePosixPath(path.lstrip("/"))
        if ".." in group.parts:  # outside of what the container sees
            group = PurePosixPath()
        for mount in mounts:
            yield from (mount / folder for folder in (group, *group.parents))


def _quota(folder: Path) -> int | None:
    """The quota that a group's directory holds, in whole processors; None without one."""
    with contextlib.suppress(OSError, ValueError):  # "max" is no number and no quota, nor is -1
        if (folder / "cpu.max").exists():  # version 2
            texts = (folder / "cpu.max").read_text().split()
        else:
            texts = [(folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period")]
        quota, period = map(int, texts)
        if quota > 0:
            return -(-quota // period)
    return None
