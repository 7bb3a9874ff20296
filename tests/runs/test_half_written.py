import contextlib
import os
import shutil
import subprocess
import sys
import textwrap

from runs import half_written
from runs.directory import write_whole

import pytest


def names(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_two_writers_with_one_number_never_share_a_file(tmp_path):
    path = tmp_path / "a.weights.h5"
    with write_whole(path) as one:
        one.write_text("one")
        with write_whole(path) as other:
            assert one != other
            other.write_text("other")
        assert path.read_text() == "other" and one.read_text() == "one"
    assert path.read_text() == "one" and names(tmp_path) == {path.name}


WRITER = """
    import os, sys
    from runs.directory import write_whole
    with write_whole(sys.argv[1]) as temporary:
        temporary.write_text(sys.argv[2])
        print(os.getpid(), flush=True)
        sys.stdin.readline()
"""


@pytest.fixture
def contained(tmp_path):
    """`contained(path, text)`: a process in a container of processes of its own, where it has the
    same number as every other such; it writes a file until it gets a line."""
    alone = ["unshare", "--pid", "--fork", "--kill-child"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"]).returncode:
        pytest.skip("may not make containers of processes")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with contextlib.ExitStack() as started:

        def start(path, text) -> subprocess.Popen:
            command = [*alone, sys.executable, "-c", textwrap.dedent(WRITER), str(path), text]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            process = started.enter_context(subprocess.Popen(command, env=environment, **pipes))
            started.callback(process.kill)
            return process

        yield start


def test_writers_in_two_containers_leave_each_other_s_files_alone(contained, tmp_path):
    path = tmp_path / "a"
    writers = [contained(path, text) for text in ("one", "other")]
    assert [writer.stdout.readline() for writer in writers] == ["1\n", "1\n"]
    assert len(names(tmp_path)) == 2
    for writer, text in zip(writers, ("one", "other"), strict=True):
        writer.communicate("go on\n")
        assert writer.returncode == 0 and path.read_text() == text
    assert names(tmp_path) == {"a"}


@pytest.mark.skipif(sys.platform == "win32", reason="cannot ask whether a process is there")
def test_what_a_killed_process_left_of_a_file_goes_when_that_is_written_again(tmp_path):
    over = subprocess.Popen([sys.executable, "-c", ""])
    over.wait()
    here = half_written.temporary(tmp_path / "a").name.split("-")[0]
    stays = [
        *(f"{here}-{os.getppid()}-01234567.a", f".{os.getppid()}.a"),  # of one that runs
        *(f"{here}-{over.pid}-01234567.b", f".{over.pid}.b.a"),  # of other files
        *(f".0123abcd-{over.pid}-01234567.a", ".a.a", ".gitignore.a"),  # nobody knows of whom
    ]
    goes = [f"{here}-{over.pid}-01234567.a", f".{over.pid}.a", ".0123abcd-1-01234567.a"]
    for name in (*stays, *goes):
        (tmp_path / name).write_text("half")
    os.utime(tmp_path / goes[-1], (0, 0))
    with write_whole(tmp_path / "a") as temporary:
        temporary.write_text("whole")
    assert names(tmp_path) == {"a", *stays}
