import os
import signal
import sys
import textwrap

from controller.agent import Agent
from controller.fleet import Fleet
from controller.rollout import Job, drive
from runs.arguments import BadInput
from runs.workplace import Workplace

import pytest

pytestmark = pytest.mark.usefixtures("ready_workers")


@pytest.mark.parametrize("ending", ["SIGKILL", "SIGSTOP"])
def test_a_fleet_drives_as_one_process_does_even_when_a_worker_is_killed_or_stopped(
    model, policies, ending
):
    jobs = [Job(policy, track) for track in range(20, 24) for policy in policies]
    outcomes = dict(drive(Agent(model), enumerate(jobs), 8, patience=15))
    expected = [outcomes[number] for number in range(len(jobs))]
    killed = []

    with Fleet(model, "float32", Workplace(2, hang_timeout=6), worlds=3) as fleet:

        def kill_one(finished: int) -> None:
            if finished and not killed:
                killed.append(next(iter(fleet._sharing.workers._executor._processes)))
                os.kill(killed[0], signal.Signals[ending])

        assert fleet.drive(jobs, patience=15, progress=kill_one) == expected
        assert killed
        assert fleet.drive(jobs[:3], patience=15) == expected[:3]


def test_a_worker_that_dies_with_the_locks_of_the_counters_keeps_nobody_waiting(
    model, policies, tmp_path, monkeypatch
):
    program = """
        import os
        import signal
        from pathlib import Path

        from runs.preparation import here


        class LockingJob:
            def __init__(self, parameters, mark):
                self.parameters = parameters
                self.mark = mark

            @property
            def track(self):
                if not Path(self.mark).exists():
                    Path(self.mark).touch()
                    here().counters.taken._value.get_lock().acquire()
                    here().counters.finished._value.get_lock().acquire()
                    os.kill(os.getpid(), signal.SIGKILL)
                return 20
    """
    (tmp_path / "locking_job.py").write_text(textwrap.dedent(program))
    monkeypatch.syspath_prepend(tmp_path)
    import locking_job

    jobs = [locking_job.LockingJob(policy, str(tmp_path / "mark")) for policy in policies]
    finished = []
    with Fleet(model, "float32", Workplace(2), worlds=1) as fleet:
        outcomes = fleet.drive(jobs, patience=15, progress=finished.append)
    assert (tmp_path / "mark").exists()
    plain = [Job(policy, 20) for policy in policies]
    assert outcomes == [
        outcome for _, outcome in drive(Agent(model), enumerate(plain), 1, patience=15)
    ]
    assert sum(finished) == len(jobs)
    del sys.modules["locking_job"]


def test_episodes_that_workers_die_of_are_given_up(model, policies, tmp_path, monkeypatch):
    """A track that kills the process which looks at it, as one would that takes all memory."""
    program = """
        import os
        import signal


        class DeadlyJob:
            def __init__(self, parameters):
                self.parameters = parameters

            @property
            def track(self):
                os.kill(os.getpid(), signal.SIGKILL)
    """
    (tmp_path / "deadly_job.py").write_text(textwrap.dedent(program))
    monkeypatch.syspath_prepend(tmp_path)
    import deadly_job

    with (
        Fleet(model, "float32", Workplace(1), worlds=1) as fleet,
        pytest.raises(BadInput, match="Worker processes died"),
    ):
        fleet.drive([deadly_job.DeadlyJob(policies[0])])
    del sys.modules["deadly_job"]
