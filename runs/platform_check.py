"""Can this machine run the project? If not, one sentence says why before anything is installed.

    python3 runs/platform_check.py

Runs alone and on Python 3.6 too, which it refuses: no other file of the project, no newer syntax.
"""

import collections
import os
import platform
import shutil
import sys
import sysconfig

OLDEST, NEWEST = (3, 10), (3, 13)  # Python; setup.py says the same
# What TensorFlow 2.18 and newer is built for, and the oldest glibc or macOS of all that is locked.
PROCESSORS = {"Linux": ("x86_64", "aarch64"), "Darwin": ("arm64",), "Windows": ("AMD64",)}
OLDEST_GLIBC, OLDEST_MACOS = (2, 27), (13,)
CPUINFO = "/proc/cpuinfo"

# `system` and `machine` are those of the module platform, `python` is (major, minor), `bits` the
# size of a pointer, `release` the version of glibc or macOS as numbers, () if there is none.
# `flags` say what the processor can do, none if unknown. `compiles`: whether there are a C++
# compiler and Python's headers.
Machine = collections.namedtuple("Machine", "system machine python bits release flags compiles")


def this_machine():
    """The machine and the Python that this runs on."""
    system = platform.system()
    # A Python for x86-64 also runs on Windows for ARM, with the packages for x86-64.
    machine = "AMD64" if sysconfig.get_platform() == "win-amd64" else platform.machine()
    release = platform.mac_ver()[0] if system == "Darwin" else platform.libc_ver()[1]
    headers = os.path.join(sysconfig.get_paths()["include"], "Python.h")
    return Machine(
        system=system,
        machine=machine,
        python=sys.version_info[:2],
        bits=64 if sys.maxsize > 2**32 else 32,
        release=tuple(int(part) for part in release.split(".")[:2] if part.isdigit()),
        flags=processor_flags(CPUINFO),
        compiles=shutil.which("g++") is not None and os.path.exists(headers),
    )


def processor_flags(cpuinfo):
    """What an x86 processor can do, in the words of Linux; empty where that cannot be read."""
    try:
        with open(cpuinfo, encoding="utf-8") as lines:
            for line in lines:
                name, _, flags = line.partition(":")
                if name.strip() == "flags":
                    return frozenset(flags.split())
    except OSError:
        pass
    return frozenset()


def lacks(machine):
    """Why the project cannot run on a machine, in a sentence; None if it can."""
    for check in (_python, _system, _release, _compiler):
        sentence = check(machine)
        if sentence:
            return sentence
    return lacks_avx(machine.flags)


def lacks_avx(flags):
    """Why TensorFlow would abort on a processor with these flags; None if it would not."""
    if flags and "avx" not in flags:
        return "TensorFlow needs a processor with AVX, which this one does not have."
    return None


def _python(machine):
    if OLDEST <= machine.python <= NEWEST:
        return None
    return (
        f"This is Python {_dotted(machine.python)}, and Python {_dotted(OLDEST)} to "
        f"{_dotted(NEWEST)} is needed: name one, for make with PYTHON=python3.12."
    )


def _system(machine):
    if (machine.system, machine.machine) == ("Darwin", "x86_64"):
        return (
            "TensorFlow for Intel Macs ended with 2.16, and 2.18 is needed: take a Mac with an "
            "Apple processor, and a Python built for it, or Linux."
        )
    if machine.machine not in PROCESSORS.get(machine.system, ()) or machine.bits != 64:
        return (
            f"There is no TensorFlow for {machine.system} on {machine.machine} with "
            f"{machine.bits} bits: see docs/install.md for where the project runs."
        )
    return None


def _release(machine):
    if machine.system == "Linux" and machine.release < OLDEST_GLIBC:
        return (
            f"TensorFlow needs glibc {_dotted(OLDEST_GLIBC)} or newer, which Alpine and old Linux "
            "systems do not have: take another system, or Docker."
        )
    if machine.system == "Darwin" and machine.release < OLDEST_MACOS:
        return f"OpenCV needs macOS {_dotted(OLDEST_MACOS)} or newer: update the system."
    return None


def _compiler(machine):
    if (machine.system, machine.machine) == ("Linux", "aarch64") and not machine.compiles:
        return (
            "Box2D has to be compiled on Linux for ARM: install g++ and Python's headers "
            "(apt install g++ python3-dev)."
        )
    return None


def _dotted(version):
    return ".".join(map(str, version))


if __name__ == "__main__":
    problem = lacks(this_machine())
    if problem:
        sys.stderr.write(f"platform_check.py: {problem}\n")
        sys.exit(2)
