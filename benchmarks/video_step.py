"""Time and memory of one training step of the CVAE that predicts video, at any width.

One step with all sequences teacher-forced, and one that goes on from its own frames, each timed
after a first one that builds the graph; the peak memory of the process; and the products that are
summed for one sequence, forward.

    python benchmarks/video_step.py --batch-size 2
"""

import time

from rnn.video.arch_cvae import Networks
from rnn.video.training import CVAE
from runs import device, fitting
from runs.arguments import number, whole
from runs.directory import write_json

import command_line
import common
import numpy as np
import tensorflow as tf

PAST, CONDITION = 2, 7


def main() -> None:
    parser = command_line.parser(__doc__, __file__, rounds=1)
    parser.add_argument(
        "--width", type=number(1 / 64, 4), default=1.0, help="of the channels (default: 1)"
    )
    command_line.add(parser, "--batch-size", default=12, help="sequences in a batch")
    parser.add_argument("--future", type=whole(1), default=10, help="frames (default: 10)")
    given = parser.parse_args()
    print(device.report(device.read(), "float32"))

    model = CVAE(Networks(CONDITION, given.width, PAST), given.future)
    model.compile(fitting.adam(2e-3, 1000))
    rng = np.random.default_rng(1)
    shape = given.batch_size, PAST + given.future
    batch = {
        "frames": tf.constant(rng.integers(0, 256, (*shape, 64, 64, 3), dtype=np.uint8)),
        "condition": tf.constant(rng.normal(size=(*shape, CONDITION)).astype(np.float32)),
    }
    step = tf.function(model.train_step)
    seconds = {}
    for name, share in {"teacher-forced": 1.0, "from its own frames": 0.0}.items():
        model.teacher_forcing.assign(share)
        step(batch)
        taken = []
        for _ in range(given.rounds):
            began = time.perf_counter()
            step(batch)
            taken.append(time.perf_counter() - began)
        seconds[name] = taken
    frame = [
        common.multiply_adds(part) for part in (model.networks.encoder, model.networks.decoder)
    ]
    products = frame[0] * shape[1] + frame[1] * (shape[1] - 1)
    import resource  # not on Windows, where the rest of this file can be imported

    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    medians = common.medians(seconds)
    for name, value in medians.items():
        common.row(f"a step, {name}", f"{value:.2f} s")
    common.row("peak memory", f"{gib:.1f} GiB")
    common.row("products for a sequence, forward", f"{products / 1e9:.1f} · 10⁹")
    found = {"width": given.width, "batch_size": given.batch_size, "seconds": medians}
    write_json(given.json, found | {"gib": gib, "products": products})


if __name__ == "__main__":
    main()
