import os
import subprocess
import sys


def run(program: str, **environment: str) -> subprocess.CompletedProcess:
    """Run a program in the environment of a user who has set nothing but this."""
    users = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**users, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
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


def test_onednn_is_on_unless_the_user_says_otherwise():
    """On a processor without AVX-512 TensorFlow leaves it off by itself, and V trains for hours."""
    program = (
        "import runs.quiet, os\n"
        "from tensorflow.python.util import _pywrap_util_port as port\n"
        "print(os.environ['TF_ENABLE_ONEDNN_OPTS'], port.IsMklEnabled())"
    )
    assert run(program).stdout == "1 True\n"
    assert run(program, TF_ENABLE_ONEDNN_OPTS="0").stdout == "0 False\n"
