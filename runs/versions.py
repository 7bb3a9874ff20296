"""What has to be the same on two machines for their results to be the same, to the last bit."""

import functools
import hashlib
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

TOP = Path(__file__).parents[1]
PROJECT = ("runs", "settings", "envs", "vae", "rnn", "controller")
# What computes or draws, or travels in another shape, in another version.
PACKAGES = (
    "numpy",
    "ml-dtypes",
    "tensorflow",
    "keras",
    "h5py",
    "gymnasium",
    "box2d",
    "box2d-py",
    "pygame",
    "pygame-ce",
    "opencv-python-headless",
    "cma",
    "dask",
    "distributed",
    "cloudpickle",
)


@functools.cache  # What a process has imported stays, though its sources may change.
def here() -> dict[str, str]:
    """The versions of this process: of Python, of packages, and a digest of the project."""
    return {
        "Python": platform.python_version(),
        "the project": project(TOP),
        **{name: _version(name) for name in PACKAGES},
    }


def project(top: Path) -> str:
    """Eight hexadecimal digits that change with any source of the packages in a folder."""
    found = (path for name in PROJECT for path in (top / name).rglob("*.py"))
    sources = sorted(path for path in found if path.is_file())  # Editors leave links to nothing.
    sums = hashlib.sha256()
    for path in sources:
        # A checkout on Windows may have other ends of lines.
        content = path.read_bytes().replace(b"\r\n", b"\n")
        sums.update(f"{path.relative_to(top).as_posix()} {len(content)}\n".encode() + content)
    return sums.hexdigest()[:8]


def differences(theirs: Mapping[str, str], ours: Mapping[str, str]) -> str:
    """In what they differ: "numpy 2.4.5, not 2.4.6"; empty if in nothing."""
    return ", ".join(
        f"{name} {theirs.get(name, 'none')}, not {version}"
        for name, version in ours.items()
        if theirs.get(name, "none") != version
    )


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"
