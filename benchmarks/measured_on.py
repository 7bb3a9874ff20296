"""On what a benchmark's figures were measured, in a line."""

import os
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
CPUINFO = Path("/proc/cpuinfo")


def measured_on() -> str:
    """The processor and its cores, and the commit with its subject, if they are known."""
    return f"Measured on {_processor()}, {os.cpu_count()} cores, at commit {commit()}."


def _processor() -> str:
    lines = CPUINFO.read_text().splitlines() if CPUINFO.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "an unknown processor"


def commit() -> str:
    """The commit that is checked out, with its subject."""
    line = ["git", "log", "-1", "--format=%h (%s)"]
    done = subprocess.run(line, cwd=TOP, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"
