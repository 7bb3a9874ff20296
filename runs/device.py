"""What V and M are computed on, processors or a GPU, and in which precision."""

import dataclasses
import os
import subprocess
from pathlib import Path

from runs.arguments import BadInput
from runs.processors import best_precision, cores, instructions

# Instructions on vectors, the widest first: what Linux calls them, and everybody else.
PRECISION = ("precision",)  # the option
VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX"}


@dataclasses.dataclass(frozen=True)
class GPU:
    """The GPU that TensorFlow computes on."""

    name: str
    capability: tuple[int, int] = (0, 0)  # NVIDIA's compute capability; zeros where unknown
    free: float | None = None  # memory in GiB, where known


@dataclasses.dataclass(frozen=True)
class Computer:
    """What there is to compute on.

    `unused_gpu`: there is an NVIDIA GPU that TensorFlow cannot use, though nobody has hidden it.
    """

    processors: int
    vectors: str | None = None  # the processor's widest vector instructions, where known
    bfloat16: bool = False  # the processor multiplies it natively
    gpu: GPU | None = None
    unused_gpu: bool = False


def precision(asked: str, computer: Computer, float16: bool = False) -> str:
    """The precision `asked` for; for `auto` the fastest that the computer has natively.

    `float16`: whether this step can compute in that, on a GPU too old for bfloat16: NVIDIA's
    tensor cores came with compute capability 7.0 for float16 alone, and from 8.0 on multiply
    bfloat16 too.
    Raises `BadInput` for what neither GPU nor processor multiplies.
    """
    if asked == "float16" and computer.gpu is None:
        raise BadInput("A processor takes ages for float16; leave it out.", options=PRECISION)
    if asked == "float16" and not float16:
        raise BadInput("This step cannot compute in float16; leave it out.", options=PRECISION)
    # oneDNN has bfloat16 for processors with AVX-512 alone, and fails in mid-training elsewhere.
    if asked == "bfloat16" and computer.gpu is None and computer.vectors in ("AVX2", "AVX"):
        raise BadInput(
            "A processor without AVX-512 has no bfloat16; choose float32.", options=PRECISION
        )
    if asked != "auto":
        return asked
    if computer.gpu is None:
        return "bfloat16" if computer.bfloat16 else "float32"
    if computer.gpu.capability >= (8, 0):
        return "bfloat16"
    return "float16" if float16 and computer.gpu.capability >= (7, 0) else "float32"


def one_thread() -> None:
    """Let TensorFlow compute in one thread in this process, which is one worker of several."""
    import runs.quiet  # noqa: F401 - before TensorFlow

    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def report(computer: Computer, precision: str, devices: int = 1) -> str:
    """A line that says what is computed on, and lines on a GPU that should be used and is not.

    `devices`: how many divide every batch among them, of which the computer has the first.
    """
    together = f", on {devices} devices at once" if devices > 1 else ""
    line = f"Computing on {_name(computer)}, {precision}{together}."
    if computer.unused_gpu:
        line += (
            "\nTensorFlow cannot use this machine's NVIDIA GPU: `make install GPU=1` installs "
            "CUDA's libraries,\nand nvidia-smi must show the GPU (update the driver; in Docker "
            "add --gpus all)."
        )
    return line


def _name(computer: Computer) -> str:
    if computer.gpu is None:
        name = f"{computer.processors} processor{'s' * (computer.processors > 1)}"
        return f"{name} ({computer.vectors})" if computer.vectors else name
    name = f"the GPU {computer.gpu.name}"
    return name if computer.gpu.free is None else f"{name} ({computer.gpu.free:.0f} GiB free)"


def read_processors() -> Computer:
    """The processors alone: what workers compute on."""
    vectors = vectors_of(instructions())
    return Computer(cores(), vectors, best_precision() == "bfloat16")


def read() -> Computer:
    """The processors, and the GPU that TensorFlow computes on, if there is one."""
    # Imported here: what workers compute on is known without TensorFlow.
    import runs.quiet  # noqa: F401 - before TensorFlow

    import tensorflow as tf

    computer, gpus = read_processors(), tf.config.list_physical_devices("GPU")
    if not gpus:
        unused = not hidden(os.environ.get("CUDA_VISIBLE_DEVICES")) and _nvidia_is_there()
        return dataclasses.replace(computer, unused_gpu=unused)
    # Of several, TensorFlow takes the first for whatever is not told where to go.
    details = tf.config.experimental.get_device_details(gpus[0])
    name = details.get("device_name", "without a name")
    capability = details.get("compute_capability", GPU.capability)
    gpu = GPU(name, capability, free_memory(_memory_list(), name))
    return dataclasses.replace(computer, gpu=gpu)


def vectors_of(flags: set[str]) -> str | None:
    """The widest vector instructions of these, as Linux names them."""
    return next((name for flag, name in VECTORS.items() if flag in flags), None)


def hidden(visible: str | None) -> bool:
    """Whether this value of CUDA_VISIBLE_DEVICES hides all GPUs: it counts to the first bad one."""
    return visible is not None and (not visible.strip() or visible.strip().startswith("-"))


def free_memory(listed: str, name: str) -> float | None:
    """The free memory in GiB of the first GPU of this name in nvidia-smi's list (name, MiB)."""
    for row in listed.splitlines():
        its_name, _, free = row.rpartition(", ")
        if its_name == name and free.isdigit():
            return int(free) / 1024
    return None


def _nvidia_is_there() -> bool:
    signs = Path("/proc/driver/nvidia/version"), Path("/dev/nvidia0")
    return any(sign.exists() for sign in signs) or "GPU 0" in _nvidia_smi("--list-gpus")


def _memory_list() -> str:
    """Name and free memory of the GPU that comes first for this process, or of all."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    first = [f"--id={visible.split(',')[0]}"] if visible else []
    return _nvidia_smi("--query-gpu=name,memory.free", "--format=csv,nounits", *first)


def _nvidia_smi(*arguments: str) -> str:
    """What NVIDIA's tool prints; nothing if it fails."""
    command = ["nvidia-smi", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
