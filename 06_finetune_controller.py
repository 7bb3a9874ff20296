"""Fine-tune an evolved C: a natural policy gradient from where 05_train_controller.py ended.

C drives episodes with noise on its actions, each on a new track, and moves along the natural
gradient of what came of them: of the reward, less penalties for wheels in the grass, which tell of
a failure long before it, and for tiles left behind. V and M stay as they are, and C stays linear.

Goes on from DIR/models/VISION/controller.weights.h5 and writes there, as the evolution did, the
best policy so far and a row per generation (one update of the policy) in controller.csv; and
RES/VISION_controller_curve.png and RES/VISION.gif. A stopped run goes on with the same command,
and with more --generations; with other settings a new one begins at the best C there is, or with
--init-from at that of another directory, transferred to the V and M here.
"""

import dataclasses
import functools

from runs import config
from settings import MAKERS
from settings.driving import FinetuneController

if __name__ == "__main__":
    given = config.parse(FinetuneController, __doc__)  # before the imports below

import vae
from controller import arch
from controller.agent import Agent
from controller.handover import take_over
from controller.policy_gradient import transfer
from controller.policy_gradient.run import PolicyGradientRun
from controller.policy_gradient.trajectories import TrajectoryFleet
from controller.report import video
from controller.run import generations
from rnn import series
from runs import arguments, device, directory

import numpy as np


def main(settings: FinetuneController) -> None:
    # C drives in workers, which have no GPU.
    precision = device.precision(settings.precision, device.read_processors())
    settings = dataclasses.replace(settings, precision=precision)
    data = directory.DataDirectory(settings.data_dir)
    if settings.from_agent:
        take_over(directory.ModelDirectory(settings.from_agent), data.model(settings.vision))
    model_directory = data.model(settings.vision)
    agent = Agent(model_directory)
    bound = arch.evolved_on(model_directory, arch.policy_inputs(model_directory))
    start = None
    if settings.init_from:
        before = directory.ModelDirectory(settings.init_from)
        bound["transferred_from"] = before.facts("controller")["digest"]
        start = functools.partial(transferred, before, data, settings, agent.vision)
    with directory.locked(model_directory.path):
        run = PolicyGradientRun(model_directory, agent.features, settings, bound, start)
        if run.training.is_over:
            print(run.training.nothing_to_do())
        else:
            fleet = TrajectoryFleet(
                model_directory,
                settings.precision,
                settings.place,
                settings.worlds,
            )
            generations(run, fleet)
        best = arch.load(model_directory, agent.features)
    print(video.results(settings.res, settings.vision, run.rows, agent, best, settings.patience))


def transferred(
    before: directory.ModelDirectory,
    data: directory.DataDirectory,
    settings: FinetuneController,
    vision: vae.Vision,
) -> np.ndarray:
    """The C of `before` on the V and M that are in `data` now."""
    print("Transferring C ...")
    episodes = series.paths(data.series(settings.vision), vision.latent, vision.digest)
    dtype = arguments.PRECISIONS[settings.precision]
    return transfer.transferred(before, data.model(settings.vision), episodes, data.rollout, dtype)


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
