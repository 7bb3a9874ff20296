import os
from pathlib import Path

from runs import device
from runs.arguments import BadInput
from runs.device import GPU, Computer

import pytest
import tensorflow as tf

PLAIN = Computer(2)
NATIVE = Computer(2, "AVX-512", bfloat16=True)
T4 = Computer(4, "AVX2", gpu=GPU("Tesla T4", (7, 5), 14.6))
A10G = Computer(4, "AVX2", gpu=GPU("NVIDIA A10G", (8, 6), 22.4))


@pytest.mark.parametrize(
    "computer, best, without_float16",
    [
        (PLAIN, "float32", "float32"),
        (NATIVE, "bfloat16", "bfloat16"),
        (T4, "float16", "float32"),
        (A10G, "bfloat16", "bfloat16"),
        (Computer(4, gpu=GPU("H100", (9, 0))), "bfloat16", "bfloat16"),
        (Computer(4, gpu=GPU("Tesla P100", (6, 0))), "float32", "float32"),
        # What the processor has natively says nothing of a GPU.
        (Computer(4, bfloat16=True, gpu=GPU("unknown")), "float32", "float32"),
    ],
)
def test_auto_is_the_fastest_that_is_native(computer, best, without_float16):
    assert device.precision("auto", computer, float16=True) == best
    assert device.precision("auto", computer) == without_float16


def test_what_is_asked_for_is_taken_but_no_float16_without_a_gpu():
    assert device.precision("float32", A10G) == "float32"
    assert device.precision("bfloat16", PLAIN) == "bfloat16"
    assert device.precision("float16", T4, float16=True) == "float16"
    with pytest.raises(BadInput, match="takes ages for float16"):
        device.precision("float16", NATIVE, float16=True)


def test_bfloat16_is_refused_where_it_would_fail_in_mid_training():
    with pytest.raises(BadInput, match="without AVX-512 has no bfloat16; choose float32"):
        device.precision("bfloat16", Computer(2, "AVX2"))
    assert device.precision("bfloat16", Computer(2, "AVX-512")) == "bfloat16"


@pytest.mark.parametrize(
    "computer, precision, line",
    [
        (NATIVE, "bfloat16", "Computing on 2 processors (AVX-512), bfloat16."),
        (Computer(1), "float32", "Computing on 1 processor, float32."),
        (A10G, "float32", "Computing on the GPU NVIDIA A10G (22 GiB free), float32."),
        (Computer(4, gpu=GPU("AMD")), "float32", "Computing on the GPU AMD, float32."),
    ],
)
def test_a_line_says_what_is_computed_on(computer, precision, line):
    assert device.report(computer, precision) == line


def test_a_gpu_that_is_not_used_is_told_of_with_what_to_do():
    first, *more = device.report(Computer(2, unused_gpu=True), "float32").splitlines()
    assert first == "Computing on 2 processors, float32."
    text = " ".join(more)
    assert "TensorFlow cannot use this machine's NVIDIA GPU" in text
    assert "make install GPU=1" in text and "driver" in text and "--gpus all" in text


def test_the_widest_vectors_are_named():
    assert device.vectors_of({"sse", "avx", "avx2", "avx512f", "avx512_bf16"}) == "AVX-512"
    assert device.vectors_of({"sse", "avx", "avx2"}) == "AVX2"
    assert device.vectors_of(set()) is None


@pytest.mark.parametrize(
    "visible, is_hidden",
    [(None, False), ("0", False), ("1,0", False), ("GPU-8932f937", False)]
    + [("", True), (" ", True), ("-1", True), ("-1,0", True)],
)
def test_a_gpu_may_be_hidden(visible, is_hidden):
    assert device.hidden(visible) is is_hidden


def test_free_memory_is_that_of_the_gpu_of_this_name():
    listed = "name, memory.free [MiB]\nTesla T4, 1024\nNVIDIA A10G, 22528\nTesla T4, 2048\n"
    assert device.free_memory(listed, "NVIDIA A10G") == 22.0
    assert device.free_memory(listed, "Tesla T4") == 1.0
    assert device.free_memory(listed, "H100") is None
    assert device.free_memory("NVIDIA GB10, [N/A]\n", "NVIDIA GB10") is None


without_gpu = pytest.mark.skipif(Path("/proc/driver/nvidia/version").exists(), reason="has a GPU")


def own_nvidia_smi(folder: Path, monkeypatch, script: str) -> None:
    tool = folder / "nvidia-smi"
    tool.write_text("#!/bin/sh\n" + script)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@without_gpu
@pytest.mark.parametrize(
    "script, visible, unused",
    [
        ("echo 'GPU 0: Tesla T4 (UUID: GPU-1)'", None, True),
        ("echo 'GPU 0: Tesla T4 (UUID: GPU-1)'", "0", True),
        ("echo 'GPU 0: Tesla T4 (UUID: GPU-1)'", "-1", False),
        ("echo 'No devices were found'; exit 6", None, False),
    ],
)
def test_a_gpu_that_only_its_driver_knows_is_unused(tmp_path, monkeypatch, script, visible, unused):
    own_nvidia_smi(tmp_path, monkeypatch, script)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    found = device.read()
    assert found.unused_gpu is unused and found.gpu is None


def test_the_gpu_is_the_first_that_tensorflow_sees(tmp_path, monkeypatch):
    """TensorFlow's word stands in for a GPU; the memory is asked of the one that is visible."""
    tesla = {"device_name": "Tesla T4", "compute_capability": (7, 5)}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["first", "second"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", {"first": tesla}.get)
    own_nvidia_smi(
        tmp_path,
        monkeypatch,
        'case "$*" in *--id=1*) echo "Tesla T4, 2048";; *) echo "Tesla T4, 1024";; esac',
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
    assert device.read().gpu == GPU("Tesla T4", (7, 5), 2.0)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert device.read().gpu == GPU("Tesla T4", (7, 5), 1.0)
    own_nvidia_smi(tmp_path, monkeypatch, "exit 9")
    assert device.read().gpu == GPU("Tesla T4", (7, 5), None)


@without_gpu
def test_workers_compute_on_the_processors_alone():
    assert device.read_processors() == device.read()
