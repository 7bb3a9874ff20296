"""How many processors a process may use: its affinity, what the user says, a container's quota."""

import os
import subprocess
import sys

from runs import device, processors
from runs.processors import cgroup_quota, cores, native_precisions

import pytest


@pytest.fixture
def group(tmp_path):
    """`group(folder, name=value, …)`: files of a control group, `_` in a name being a dot."""

    def write(folder: str, **files: str) -> None:
        place = tmp_path / "cgroup" / folder
        place.mkdir(parents=True, exist_ok=True)
        for name, value in files.items():
            (place / name.replace("_", ".", 1)).write_text(f"{value}\n")

    return write


@pytest.fixture
def quota(tmp_path):
    """`quota("0::/a", …)`: that of a process whose /proc/self/cgroup has these lines."""

    def read(*lines: str) -> int | None:
        (tmp_path / "own").write_text("".join(f"{line}\n" for line in lines))
        return cgroup_quota(tmp_path / "cgroup", tmp_path / "own")

    return read


@pytest.mark.parametrize(
    "said, processors",
    [
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("10000 100000", 1),
        ("1000 50000", 1),
        ("max 100000", None),
        ("", None),
        ("torn", None),
    ],
)
def test_a_quota_of_version_2_is_rounded_up(group, quota, said, processors):
    group("job", cpu_max=said)
    assert quota("0::/job") == processors


def test_the_least_quota_of_the_group_and_those_above_counts(group, quota):
    group("a", cpu_max="300000 100000")
    group("a/b", cpu_max="max 100000")
    group("a/b/c", cpu_max="800000 100000")
    group("a/other", cpu_max="100000 100000")
    assert quota("0::/a/b/c") == 3
    assert quota("0::/a/b") == 3
    assert quota("0::/") is None


@pytest.mark.parametrize("path", ["/", "/docker/0123abcd", "/../../above"])
def test_in_a_container_its_own_group_is_the_root(group, quota, path):
    group("", cpu_max="200000 100000")
    assert quota(f"0::{path}") == 2


@pytest.mark.parametrize("controllers", ["cpu", "cpu,cpuacct", "cpuacct,cpu"])
@pytest.mark.parametrize("micros, processors", [(250_000, 3), (20_000, 1), (-1, None)])
def test_a_quota_of_version_1(group, quota, controllers, micros, processors):
    group(f"{controllers}/docker", cpu_cfs_quota_us=-1, cpu_cfs_period_us=100_000)
    group(f"{controllers}/docker/one", cpu_cfs_quota_us=micros, cpu_cfs_period_us=100_000)
    assert quota("5:memory:/docker/one", f"4:{controllers}:/docker/one") == processors


def test_both_versions_at_once(group, quota):
    group("cpu/job", cpu_cfs_quota_us=400_000, cpu_cfs_period_us=100_000)
    group("unified/job", cpu_max="300000 100000")
    assert quota("1:cpu:/job", "0::/job") == 3


def test_other_controllers_have_no_say(group, quota):
    group("cpuset/job", cpu_cfs_quota_us=100_000, cpu_cfs_period_us=100_000)
    assert quota("1:cpuset:/job", "2:name=systemd:/job") is None


def test_no_control_groups_are_no_quota(tmp_path):
    assert cgroup_quota(tmp_path / "none", tmp_path / "none") is None


def cores_with(preamble: str = "", **environment: str) -> int:
    program = f"{preamble}\nfrom runs.processors import cores\nprint(cores())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def test_fewer_where_the_environment_says_so():
    assert cores_with(PYTHON_CPU_COUNT="1") == 1
    assert cores_with(PYTHON_CPU_COUNT="default") == cores()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity")
def test_fewer_where_the_affinity_says_so():
    one = min(os.sched_getaffinity(0))
    assert cores_with(f"import os; os.sched_setaffinity(0, {{{one}}})") == 1


def test_fewer_where_a_quota_says_so(group, tmp_path):
    group("job", cpu_max="50000 100000")
    (tmp_path / "own").write_text("0::/job\n")
    preamble = (
        "from pathlib import Path; from runs import processors;"
        f"processors.CGROUPS = Path({str(tmp_path / 'cgroup')!r});"
        f"processors.OWN_CGROUPS = Path({str(tmp_path / 'own')!r})"
    )
    assert cores_with(preamble) == 1


@pytest.mark.parametrize(
    "flags, precision", [("avx2 avx512_bf16", "bfloat16"), ("avx2 avx512f", "float32")]
)
def test_bfloat16_only_where_the_processor_has_it(tmp_path, flags, precision):
    (tmp_path / "cpuinfo").write_text(f"flags\t\t: {flags}\n")
    assert native_precisions(tmp_path / "cpuinfo")[-1] == precision
    assert native_precisions(tmp_path / "none") == ["float32"]


@pytest.mark.parametrize(
    "most, vectors, precision",
    [
        ("", "AVX-512", "bfloat16"),
        ("AVX512_CORE", "AVX-512", "float32"),
        ("avx2", "AVX2", "float32"),
    ],
)
def test_a_processor_that_plays_a_plainer_one_is_taken_for_it(
    monkeypatch, tmp_path, most, vectors, precision
):
    (tmp_path / "cpuinfo").write_text("flags : avx avx2 avx512f avx512_bf16 amx_bf16\n")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", most)
    flags = processors.instructions(tmp_path / "cpuinfo")
    assert device.vectors_of(flags) == vectors
    assert native_precisions(tmp_path / "cpuinfo")[-1] == precision
