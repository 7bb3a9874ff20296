"""What is said of machines that cannot run the project, and nothing of those that can."""

import re
import subprocess
import sys
from pathlib import Path

from runs import platform_check
from runs.platform_check import NEWEST, OLDEST, lacks, lacks_avx, processor_flags

import pytest

TOP = Path(__file__).parents[2]
LINUX = platform_check.Machine(
    system="Linux",
    machine="x86_64",
    python=(3, 12),
    bits=64,
    release=(2, 36),
    flags=frozenset({"sse4_2", "avx", "avx2"}),
    compiles=False,
)
ARM = LINUX._replace(machine="aarch64", flags=frozenset(), compiles=True)
MAC = ARM._replace(system="Darwin", machine="arm64", release=(14, 5), compiles=False)
WINDOWS = LINUX._replace(system="Windows", machine="AMD64", release=(), flags=frozenset())


@pytest.mark.parametrize("machine", [LINUX, ARM, MAC, WINDOWS])
@pytest.mark.parametrize("minor", [10, 11, 12, 13])
def test_nothing_is_said_of_a_machine_that_can(machine, minor):
    assert lacks(machine._replace(python=(3, minor))) is None


@pytest.mark.parametrize("version, name", [((3, 9), "3.9"), ((3, 14), "3.14"), ((4, 0), "4.0")])
def test_another_python_is_named_and_which_are_needed(version, name):
    sentence = lacks(LINUX._replace(python=version))
    assert f"Python {name}, and Python 3.10 to 3.13" in sentence and "PYTHON=" in sentence


def test_setup_asks_for_the_same_pythons():
    asked = re.search(r'python_requires="(.*)"', (TOP / "setup.py").read_text())[1]
    assert asked == f">={OLDEST[0]}.{OLDEST[1]},<{NEWEST[0]}.{NEWEST[1] + 1}"


@pytest.mark.parametrize(
    "machine, words",
    [
        (MAC._replace(machine="x86_64"), "Intel Macs ended with 2.16"),
        (MAC._replace(release=(12, 7)), "macOS 13"),
        (WINDOWS._replace(machine="ARM64"), "no TensorFlow for Windows on ARM64"),
        (WINDOWS._replace(bits=32), "on AMD64 with 32 bits"),
        (LINUX._replace(machine="i686", bits=32), "no TensorFlow for Linux on i686"),
        (LINUX._replace(system="FreeBSD"), "no TensorFlow for FreeBSD"),
        (LINUX._replace(release=(2, 17)), "glibc 2.27 or newer"),
        (LINUX._replace(release=()), "Alpine"),  # musl
        (LINUX._replace(flags=frozenset({"sse4_2"})), "AVX"),
        (ARM._replace(compiles=False), "apt install g++ python3-dev"),
    ],
)
def test_what_is_missing_is_one_sentence(machine, words):
    sentence = lacks(machine)
    assert words in sentence and "\n" not in sentence and sentence.endswith(".")


def cpuinfo(folder: Path, text: str) -> Path:
    (folder / "cpuinfo").write_text(text)
    return folder / "cpuinfo"


def test_flags_are_read_whole_and_of_the_first_processor(tmp_path):
    told = cpuinfo(tmp_path, "model name\t: x avx\nflags\t\t: fpu avx2\n\nflags\t\t: fpu avx\n")
    assert processor_flags(told) == {"fpu", "avx2"}
    assert lacks_avx(processor_flags(told))


def test_nothing_is_said_of_flags_that_are_not_known(tmp_path):
    arm = cpuinfo(tmp_path, "processor\t: 0\nFeatures\t: fp asimd\n")
    assert processor_flags(arm) == frozenset() == processor_flags(tmp_path / "none")
    assert lacks_avx(frozenset()) is None


def test_it_runs_alone_and_ends_with_2_for_a_machine_that_cannot(tmp_path):
    file = tmp_path / "platform_check.py"
    file.write_text(Path(platform_check.__file__).read_text().replace("(3, 10), (3", "(4, 0), (4"))
    done = subprocess.run(
        [sys.executable, str(file)], cwd=tmp_path, capture_output=True, text=True, env={}
    )
    assert done.returncode == 2 and done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("platform_check.py: This is Python 3.")


def test_it_has_nothing_against_the_machine_of_the_tests():
    done = subprocess.run([sys.executable, platform_check.__file__], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
