"""What a row gets does not depend on the others, with the kernels of any x86 processor."""

import os
import subprocess
import sys

from runs.platform_check import CPUINFO, processor_flags

import pytest

pytestmark = pytest.mark.slow  # starts processes

PROGRAM = """
from controller import arch
from controller.agent import Agent
from runs.directory import ModelDirectory
import sys
import numpy as np

rng = np.random.default_rng(0)
frames = rng.integers(0, 256, (2, 100, 64, 64, 3), dtype=np.uint8)

def drive(agent, policies, rows):
    agent.clear()
    agent.add(policies[rows])
    return np.stack([agent.act(batch[rows]) for batch in frames])

for path in sys.argv[1:]:
    agent = Agent(ModelDirectory(path))
    policies = rng.normal(0, 0.3, (100, arch.size(agent.features)))
    together = drive(agent, policies, list(range(100)))
    for count in (1, 2, 3, 5, 7, 8, 20, 32, 72, 73, 84):
        rows = rng.choice(100, count, replace=False)
        assert np.array_equal(drive(agent, policies, rows), together[:, rows]), (path, count)
    print("alike")
"""
KERNELS = {
    "as it comes": {},
    "AVX2 without oneDNN": {"ONEDNN_MAX_CPU_ISA": "AVX2", "TF_ENABLE_ONEDNN_OPTS": "0"},
    "SSE 4.1": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
}
FLAGS = processor_flags(CPUINFO)
if not FLAGS or "avx512f" in FLAGS:  # Without, AVX2 is as it comes.
    KERNELS["AVX2"] = {"ONEDNN_MAX_CPU_ISA": "AVX2"}


@pytest.mark.parametrize("kernels", KERNELS)
def test_a_row_does_not_depend_on_the_others_with_any_kernels(full_model, model, kernels):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(full_model.path), str(model.path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **KERNELS[kernels]},
    )
    assert done.stdout == "alike\n" * 2, done.stderr
