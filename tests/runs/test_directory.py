import os
import signal
import subprocess
import sys
import textwrap

from runs.arguments import BadInput
from runs.directory import (
    DataDirectory,
    ModelDirectory,
    digest,
    locked,
    read_json,
    require_space,
    write_json,
    write_whole,
)

import pytest


def names(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_lies_where(tmp_path):
    data = DataDirectory(tmp_path)
    assert data.rollout == tmp_path / "rollout"
    assert data.series("vae") == tmp_path / "series" / "vae"
    assert data.model("vae").weights("rnn") == tmp_path / "models" / "vae" / "rnn.weights.h5"
    assert names(tmp_path) == set()


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "made" / "a.weights.h5"
    with write_whole(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.name.endswith(".weights.h5")
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert names(path.parent) == {"a.weights.h5"}


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), write_whole(path) as temporary:
        temporary.write_text("new")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert names(tmp_path) == {"a"}


def test_a_write_that_is_killed_leaves_what_was_there(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    kill_in_the_middle(path)
    assert path.read_text() == "old"
    assert len(names(tmp_path)) == 2
    with locked(tmp_path):
        assert names(tmp_path) == {"a", ".lock"}


def test_a_write_waits_for_a_reader_that_windows_lets_keep_the_file(tmp_path, monkeypatch):
    replace, refusals = os.replace, [PermissionError(13, "in use")] * 3

    def replace_later(*paths):
        if refusals:
            raise refusals.pop()
        replace(*paths)

    monkeypatch.setattr(os, "replace", replace_later)
    write_json(tmp_path / "a.json", {"new": 1})
    assert read_json(tmp_path / "a.json") == {"new": 1}
    assert names(tmp_path) == {"a.json"}


def kill_in_the_middle(path) -> None:
    program = f"""
        import os, signal
        from runs.directory import write_whole
        with write_whole({str(path)!r}) as temporary:
            temporary.write_text("new")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], env=with_path())
    assert done.returncode == -signal.SIGKILL


def with_path() -> dict:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def test_text_is_utf_8_on_every_system(tmp_path):
    program = f"""
        from runs.directory import write_text
        write_text({str(tmp_path / "a.md")!r}, "916 \\u00b1 15")
    """
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    subprocess.run(command, env=with_path() | locale, check=True)
    assert (tmp_path / "a.md").read_bytes() == "916 \u00b1 15".encode()


def test_json_comes_back(tmp_path):
    write_json(tmp_path / "a.json", {"numbers": [1, 2.5, None]})
    assert read_json(tmp_path / "a.json") == {"numbers": [1, 2.5, None]}


@pytest.mark.parametrize("content", [b"", b'{"torn": ', b"\xff\xfe"])
def test_json_that_is_torn_is_refused_by_name(tmp_path, content):
    path = tmp_path / "model.json"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="model.json cannot be read"):
        read_json(path)


def test_json_that_is_missing_is_refused_by_name(tmp_path):
    with pytest.raises(BadInput, match="model.json does not exist"):
        read_json(tmp_path / "model.json")


def test_digest_is_the_start_of_sha256(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert digest(path) == "ba7816bf8f01cfea"


def test_a_second_writer_is_refused_and_a_later_one_is_not(tmp_path):
    with locked(tmp_path), pytest.raises(BadInput, match="Another process"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


HOLDER = """
    import sys
    from runs.directory import locked
    sys.argv = ["/somewhere/02_train_vae.py", "--data-dir", "my data", *map(str, range(1000))]
    with locked(sys.stdin.readline().strip()):
        print("locked", flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has the lock of `tmp_path` till it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=with_path(),
    ) as process:
        print(tmp_path, file=process.stdin, flush=True)
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def refused(folder) -> str:
    with pytest.raises(BadInput) as refusal, locked(folder):
        pass
    return str(refusal.value)


def test_the_lock_goes_with_a_process_that_is_killed(tmp_path, holder):
    refused(tmp_path)
    holder.kill()
    holder.wait()
    with locked(tmp_path):
        pass


def test_a_refusal_names_the_process_and_its_command(tmp_path, holder):
    sentence = refused(tmp_path)
    first = f"(process {holder.pid}: 02_train_vae.py --data-dir 'my data' 0 1 2 "
    assert sentence.startswith(f"Another process is writing to {tmp_path} {first}")
    assert sentence.endswith("); wait for it.") and "\n" not in sentence
    assert len(sentence) < 500


def test_a_refusal_names_the_process_that_is_there_now(tmp_path, holder):
    holder.kill()
    holder.wait()
    with locked(tmp_path):
        assert f"(process {os.getpid()}: " in refused(tmp_path)


@pytest.mark.parametrize("content", ["", " ", " torn", ' {"process": 1}\n', " [1]\n", "\0\0"])
def test_a_refusal_without_a_name_is_one_all_the_same(tmp_path, holder, content):
    (tmp_path / ".lock").write_text(content)
    assert refused(tmp_path) == f"Another process is writing to {tmp_path}; wait for it."


def test_the_lock_spares_files_that_are_not_half_written(tmp_path):
    (tmp_path / ".gitignore").write_text("")
    (tmp_path / ".a.b").write_text("")
    for left in (".123.a.npz", ".0123abcd-7-89ab01cd.a.npz"):
        (tmp_path / left).write_text("")
    with locked(tmp_path):
        assert names(tmp_path) == {".lock", ".gitignore", ".a.b"}


@pytest.mark.parametrize("content", ["[" * 200_000, '{"n": ' + "9" * 10_000 + "}"])
def test_json_that_no_parser_takes_is_refused(tmp_path, content):
    (tmp_path / "model.json").write_text(content)
    with pytest.raises(BadInput, match="model.json cannot be read"):
        read_json(tmp_path / "model.json")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes among files")
def test_a_pipe_in_place_of_any_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput, match="pipe is no file"):
        digest(tmp_path / "pipe")
    os.mkfifo(tmp_path / ".lock")
    with pytest.raises(BadInput, match=".lock is no file"), locked(tmp_path):
        pass


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes among files")
def test_a_pipe_in_place_of_json_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "model.json")
    with pytest.raises(BadInput, match="model.json is no file"):
        read_json(tmp_path / "model.json")


def test_what_the_disk_cannot_hold_is_refused_with_the_arithmetic(tmp_path):
    require_space(tmp_path, 1, "a byte")
    with pytest.raises(BadInput, match=r"9 frames may take 1,000,000 MB, and [\d,]+ MB are left"):
        require_space(tmp_path, 10**12, "9 frames")


def test_a_mistyped_directory_is_answered_with_the_one_that_was_meant(tmp_path, monkeypatch):
    (tmp_path / "published" / "vae").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for wrong in ("pubished/vae", "published/vea"):
        with pytest.raises(BadInput, match="no such directory .do you mean published/vae[?]"):
            ModelDirectory(wrong).facts("vision")
    with pytest.raises(BadInput, match="elsewhere has no trained vision: .* directory[.]$"):
        ModelDirectory("elsewhere").facts("vision")
    with pytest.raises(BadInput, match="published/vae has no trained rnn[.]$"):
        ModelDirectory("published/vae").facts("rnn")
