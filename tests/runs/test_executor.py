import concurrent.futures
import contextlib
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from runs import executor, processes
from runs.arguments import BadInput

import pytest

# What the workers do lies in `work.py`, written here: a spawned process imports it by its name.
WORK = """
    import os
    import signal
    from pathlib import Path

    from runs.arguments import BadInput

    prepared = 0


    def prepare(number):
        global prepared
        prepared = number


    def square(number):
        return number**2 + prepared


    def die_once(number, folder):
        mark = Path(folder) / str(number)
        if number % 3 == 1 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number**2


    def stop_once(number, folder):
        mark = Path(folder) / "stopped"
        if number == 2 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGSTOP)
        return number**2


    def die():
        os.kill(os.getpid(), signal.SIGKILL)


    def interrupted(number):
        os.kill(os.getpid(), signal.SIGINT)
        return number + 1


    def refuse(number):
        raise BadInput(f"{number} is bad.")


    def fail(number):
        return 1 // number


    # As TensorFlow would find it, if this module imported it.
    found_on_import = os.environ.get("CUDA_VISIBLE_DEVICES")


    def visible_gpus():
        return found_on_import


    def usable_gpus():
        import tensorflow as tf

        return tf.config.list_physical_devices("GPU")
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "work_of_tests.py").write_text(textwrap.dedent(WORK))
    monkeypatch.syspath_prepend(folder)
    import work_of_tests

    yield work_of_tests
    del sys.modules["work_of_tests"]


def test_results_come_in_the_order_of_the_tasks(work):
    with executor.ProcessWorkers(lambda: processes.pool(2, work.prepare, (1000,))) as workers:
        assert workers.all(work.square, [(n,) for n in range(20)]) == [
            1000 + n**2 for n in range(20)
        ]


def test_each_names_the_task_of_every_result(work):
    with executor.ProcessWorkers(lambda: processes.pool(2)) as workers:
        results = dict(workers.each(work.square, ((n,) for n in (3, 1, 2))))
    assert results == {0: 9, 1: 1, 2: 4}


@pytest.fixture
def interruptible():
    """Ctrl-C is heard here, also where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_workers_never_hear_of_an_interrupt_not_even_while_they_start(tmp_path, monkeypatch):
    source = f"""
        import os
        import signal

        if os.getpid() != {os.getpid()}:
            os.kill(os.getpid(), signal.SIGINT)


        def interrupted(number):
            os.kill(os.getpid(), signal.SIGINT)
            return number + 1
    """
    (tmp_path / "interrupted_work.py").write_text(textwrap.dedent(source))
    monkeypatch.syspath_prepend(tmp_path)
    import interrupted_work

    prepare, prepared = interrupted_work.interrupted, (1,)
    with executor.ProcessWorkers(lambda: processes.pool(2, prepare, prepared)) as workers:
        assert workers.all(interrupted_work.interrupted, [(3,), (4,)]) == [4, 5]
    # Here it is heard as before.
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.usefixtures("interruptible")
def test_workers_that_have_begun_never_hear_of_one_where_it_cannot_be_blocked(work, monkeypatch):
    monkeypatch.delattr(signal, "pthread_sigmask", raising=False)
    with executor.ProcessWorkers(lambda: processes.pool(1)) as workers:
        assert workers.all(work.interrupted, [(3,), (4,)]) == [4, 5]


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_while_workers_start_comes_when_they_have_started(work):
    begun = []

    class Started(concurrent.futures.Executor):
        def submit(self, function, *task):
            os.kill(os.getpid(), signal.SIGINT)
            begun.append(task)
            return concurrent.futures.Future()

    with pytest.raises(KeyboardInterrupt), executor.ProcessWorkers(Started) as workers:
        workers.all(work.square, [(1,), (2,)])
    assert begun == [(1,), (2,)]


def test_no_tasks_give_no_results(work):
    with executor.ProcessWorkers(lambda: processes.pool(1)) as workers:
        assert workers.all(work.square, []) == []


def test_a_killed_worker_is_replaced_and_no_result_is_lost_or_doubled(work, tmp_path, capsys):
    tasks = [(n, str(tmp_path)) for n in range(6)]
    with executor.ProcessWorkers(lambda: processes.pool(1)) as workers:
        results = list(workers.each(work.die_once, tasks))
    assert sorted(results) == [(n, n**2) for n in range(6)]
    assert (tmp_path / "1").exists() and (tmp_path / "4").exists()
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 2
    for line in warnings:
        assert re.fullmatch(r"Warning: a worker process died: \d+ \(killed by SIG\w+\)\. .*", line)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="stops no processes")
def test_a_worker_that_hangs_is_replaced_and_no_result_is_lost(work, tmp_path, capsys):
    tasks = [(n, str(tmp_path)) for n in range(6)]
    with executor.ProcessWorkers(lambda: processes.pool(2), hang_timeout=3) as workers:
        results = list(workers.each(work.stop_once, tasks))
    assert sorted(results) == [(n, n**2) for n in range(6)]
    warnings = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"Warning: worker process \d+ hangs\.", warnings[0])
    assert "killed by SIGKILL" in warnings[1] and len(warnings) == 2


SLEEPER = """
    import time
    from runs import executor, processes

    if __name__ == "__main__":
        with executor.ProcessWorkers(lambda: processes.pool(1), hang_timeout=4) as workers:
            for _, result in workers.each(time.sleep, [(0,), (3,)]):
                print(result, flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="stops no processes")
def test_workers_of_a_machine_that_slept_do_not_hang(tmp_path):
    script = tmp_path / "sleeper.py"
    script.write_text(textwrap.dedent(SLEEPER))
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    ) as sleeper:
        assert sleeper.stdout.readline() == "None\n"
        os.killpg(sleeper.pid, signal.SIGSTOP)
        time.sleep(6)
        os.killpg(sleeper.pid, signal.SIGCONT)
        assert sleeper.communicate() == ("None\n", "")
    assert sleeper.returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="stops no processes")
@pytest.mark.parametrize("problem", [None, KeyboardInterrupt])
def test_a_worker_that_is_stopped_keeps_nobody_waiting_at_the_end(work, problem):
    with (
        pytest.raises(problem) if problem else contextlib.nullcontext(),
        executor.ProcessWorkers(lambda: processes.pool(2), hang_timeout=5) as workers,
    ):
        assert workers.all(work.square, [(2,), (3,)]) == [4, 9]
        children = list(workers._children)
        os.kill(children[0].pid, signal.SIGSTOP)
        if problem:
            raise problem
    for child in children:
        child.join(60)
        assert not child.is_alive()


def test_workers_that_die_again_and_again_are_given_up_in_a_sentence(work):
    with (
        executor.ProcessWorkers(lambda: processes.pool(1)) as workers,
        pytest.raises(BadInput, match=f"died {executor.ATTEMPTS} times.*try fewer"),
    ):
        workers.all(work.die, [()])


def test_bad_input_in_a_worker_is_bad_input_here(work):
    with (
        executor.ProcessWorkers(lambda: processes.pool(1)) as workers,
        pytest.raises(BadInput, match="^7 is bad.$"),
    ):
        workers.all(work.refuse, [(7,)])


def test_what_fails_in_a_worker_is_a_sentence_and_its_traceback_a_file(work):
    with (
        executor.ProcessWorkers(lambda: processes.pool(1)) as workers,
        pytest.raises(BadInput, match=r"failed \(ZeroDivisionError: .*\); its") as refusal,
    ):
        workers.all(work.fail, [(0,)])
    file = Path(re.search(r"traceback is in (.*)\.$", str(refusal.value)).group(1))
    told = file.read_text()
    file.unlink()
    assert "return 1 // number" in told and "work_of_tests.py" in told


@pytest.mark.parametrize("visible", ["0", None])
def test_workers_see_no_gpu_whatever_this_process_sees(work, monkeypatch, visible):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    environment = dict(os.environ)
    with executor.ProcessWorkers(lambda: processes.pool(1)) as workers:
        assert workers.all(work.visible_gpus, [()]) == ["-1"]
    assert dict(os.environ) == environment


@pytest.mark.skipif(not Path("/proc/driver/nvidia/version").exists(), reason="has no NVIDIA GPU")
def test_tensorflow_finds_no_gpu_in_a_worker(work):
    with executor.ProcessWorkers(lambda: processes.pool(1)) as workers:
        assert workers.all(work.usable_gpus, [()]) == [[]]


PARENT = """
    import time
    from runs import executor, processes

    if __name__ == "__main__":
        pool = processes.pool(2)
        for _ in range(2):
            pool.submit(time.sleep, 3600)
        print(*pool._processes, flush=True)
        time.sleep(3600)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the states in /proc")
def test_workers_leave_when_their_parent_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(textwrap.dedent(PARENT))
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as parent:
        children = [int(word) for word in parent.stdout.readline().split()]
        assert len(children) == 2 and all(running(child) for child in children)
        parent.send_signal(signal.SIGKILL)
    left = set(children)
    for _ in range(1000):
        left = {child for child in left if running(child)}
        if not left:
            break
        time.sleep(0.1)
    for child in left:
        os.kill(child, signal.SIGKILL)
    assert not left


def running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
