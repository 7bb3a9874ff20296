import os
import subprocess
import sys


def run(program: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_tensorflow_starts_without_a_word_and_stderr_still_works():
    done = run(
        "import runs.quiet, sys, os, tensorflow as tf\n"
        "print(int(tf.constant(20) + 22))\n"
        "print('by Python', file=sys.stderr, flush=True)\n"
        "os.write(2, b'by a library')\n"
    )
    assert done.stdout == "42\n"
    assert done.stderr == "by Python\nby a library"


def test_what_libraries_read_as_they_start_is_set_but_where_the_user_has_set_it(monkeypatch):
    program = "import runs, os; print(*(os.environ[name] for name in {names}))"
    names = ["TF_FORCE_GPU_ALLOW_GROWTH", "OPENBLAS_NUM_THREADS"]
    for name in names:
        monkeypatch.delenv(name, raising=False)
    assert run(program.format(names=names)).stdout == "true 1\n"
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    assert run(program.format(names=names)).stdout == "true 3\n"
