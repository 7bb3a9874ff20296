import os
import signal
import subprocess
import sys

import pytest


def run(program: str, **environment: str) -> subprocess.CompletedProcess:
    """Run a program in the environment of a user who has set nothing but this."""
    users = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**users, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )


ONEDNN = """
from tensorflow.python.util import _pywrap_util_port as port
print(os.environ["TF_ENABLE_ONEDNN_OPTS"], port.IsMklEnabled())
"""
PROGRAM = f"""
import runs.quiet, os, sys, tensorflow as tf
print(int(tf.constant(20) + 22))
{ONEDNN}
threading = tf.config.threading
print(threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads())
print("by Python", file=sys.stderr, flush=True)
os.write(2, b"by a library")
"""


@pytest.fixture(scope="module")
def started() -> subprocess.CompletedProcess:
    """A program that starts TensorFlow, where Python says that there is one processor for it."""
    return run(PROGRAM, PYTHON_CPU_COUNT="1")


@pytest.mark.slow
def test_tensorflow_starts_without_a_word_and_stderr_still_works(started):
    assert started.stdout.startswith("42\n")
    assert started.stderr == "by Python\nby a library"


@pytest.mark.slow
def test_onednn_is_on_unless_the_user_says_otherwise(started):
    """On a processor without AVX-512 TensorFlow leaves it off by itself, and V trains for hours."""
    assert "\n1 True\n" in started.stdout
    told_otherwise = run(f"import runs.quiet, os\n{ONEDNN}", TF_ENABLE_ONEDNN_OPTS="0")
    assert told_otherwise.stdout == "0 False\n"


@pytest.mark.slow
def test_tensorflow_takes_as_many_threads_as_there_are_processors_for_it(started):
    assert started.stdout.endswith("\n1 1\n")


def failing(folder, ending: str) -> subprocess.CompletedProcess:
    """What is seen of a TensorFlow that writes why it fails, as its libraries do, and fails."""
    (folder / "tensorflow.py").write_text(f"import os\nos.write(2, b'the reason\\n')\n{ending}\n")
    return run(f"import sys; sys.path.insert(0, {str(folder)!r}); import runs.quiet")


@pytest.mark.skipif(os.name != "posix", reason="elsewhere what it wrote is lost")
def test_a_tensorflow_that_aborts_says_why(tmp_path):
    done = failing(tmp_path, "os.abort()")
    assert done.returncode == -signal.SIGABRT
    assert done.stderr == "the reason\n"


def test_a_tensorflow_that_cannot_be_imported_says_why(tmp_path):
    done = failing(tmp_path, "raise ImportError('no such library')")
    assert done.returncode == 1
    assert done.stderr.startswith("the reason\nTraceback")
    assert done.stderr.endswith("ImportError: no such library\n")


def test_a_processor_without_avx_is_refused_before_tensorflow_is_imported(tmp_path):
    (tmp_path / "cpuinfo").write_text("flags\t\t: fpu sse4_2\n")
    done = run(
        "import sys; from runs import platform_check;"
        f"platform_check.CPUINFO = {str(tmp_path / 'cpuinfo')!r};"
        "sys.argv = ['02_train_vae.py'];"
        "sys.modules['tensorflow'] = None;"
        "import runs.quiet"
    )
    assert done.returncode == 2 and done.stdout == ""
    sentence = "TensorFlow needs a processor with AVX, which this one does not have."
    assert done.stderr == f"02_train_vae.py: {sentence}\n"


def test_what_libraries_read_as_they_start_is_set_but_where_the_user_has_set_it(monkeypatch):
    program = "import runs, os; print(*(os.environ[name] for name in {names}))"
    names = ["TF_FORCE_GPU_ALLOW_GROWTH", "OPENBLAS_NUM_THREADS"]
    for name in names:
        monkeypatch.delenv(name, raising=False)
    assert run(program.format(names=names)).stdout == "true 1\n"
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    assert run(program.format(names=names)).stdout == "true 3\n"


@pytest.mark.slow
def test_a_program_that_uses_tensorflow_already_keeps_its_threads():
    done = run("import tensorflow as tf; tf.constant(1); import runs.quiet; print('imported')")
    assert (done.returncode, done.stdout) == (0, "imported\n"), done.stderr
