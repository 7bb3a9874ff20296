"""Drive the car on new tracks and record what it sees, does and earns.

One file per episode in DIR/rollout, named by the seed of its track. Run it again with more
--episodes to record more; what is there stays.
"""

from pathlib import Path

from runs import config
from settings import MAKERS
from settings.recording import GenerateData

if __name__ == "__main__":
    given = config.parse(GenerateData, __doc__)  # before the imports below

from envs import recording, rollouts, tracks
from runs import arguments, directory


def main(settings: GenerateData) -> None:
    data = directory.DataDirectory(settings.data_dir)
    asked = tracks.recording(settings.seed, settings.policy, settings.episodes)
    with directory.locked(data.rollout):
        paths = {track: rollouts.path_of(data.rollout, track) for track in asked}
        missing = [track for track in asked if not paths[track].exists()]
        tell_of_shorter([path for path in paths.values() if path.exists()], settings)
        if not missing:
            print(
                f"All {len(asked)} episodes are in {data.rollout}; "
                "more --episodes or another --seed record new ones."
            )
            return
        size = len(missing) * settings.steps * rollouts.BYTES_PER_STEP
        what = f"{len(missing)} episodes of at most {settings.steps} steps"
        directory.require_space(data.rollout, size, what)
        print(f"{what}: up to {size / 1e6:,.1f} MB in {data.rollout}.", flush=True)
        if settings.policy == "agent":
            # Imported here: every worker imports this script, and only an agent needs TensorFlow.
            from controller.recording import record_with_agent

            model_directory = data.model(settings.vision)
            if settings.agent:
                model_directory = directory.ModelDirectory(settings.agent)
            steps = record_with_agent(data.rollout, missing, model_directory, settings)
        else:
            steps = recording.record_with_policy(data.rollout, missing, settings.policy, settings)
    print(f"{len(missing)} new episodes, {steps:,} steps, in {data.rollout}.")


def tell_of_shorter(there: list[Path], settings: GenerateData) -> None:
    cut = [p for p in there if rollouts.was_cut(p, settings.steps, settings.patience)]
    if cut:
        print(
            f"{len(cut)} of the episodes that are there were recorded with fewer steps (--steps, "
            f"{rollouts.length(cut[0])} in {cut[0].name}) and stay so; remove them to record "
            f"{settings.steps}."
        )


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
