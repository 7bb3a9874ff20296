"""Drive the car on new tracks and record what it sees, does and earns.

One file per episode in DIR/rollout, named by the seed of its track. Run it again with more
--episodes to record more; what is there stays.
"""

from pathlib import Path

from envs import recording, rollouts, tracks
from runs import arguments, directory, executor, progress

AGENTS_OWN = ("vision", "patience", "weight_noise", "action_noise", "noise_steps", "takeovers")


def main() -> None:
    options = parse()
    data = directory.DataDirectory(options.data_dir)
    asked = tracks.recording(options.seed, options.policy, options.episodes)
    with directory.locked(data.rollout):
        missing = [t for t in asked if not rollouts.path_of(data.rollout, t).exists()]
        if not missing:
            print(
                f"All {len(asked)} episodes are in {data.rollout}; "
                "more --episodes or another --seed record new ones."
            )
            return
        if options.policy == "agent":
            # Imported here: every worker imports this script, and only an agent needs TensorFlow.
            from controller.recording import record_with_agent

            model_directory = data.model(options.vision)
            steps = record_with_agent(data.rollout, missing, model_directory, options)
        else:
            steps = record_untrained(data.rollout, missing, options)
    print(f"{len(missing)} new episodes, {steps:,} steps, in {data.rollout}.")


def record_untrained(folder: Path, missing: list[int], options) -> int:
    steps = 0
    tasks = [(folder, track, options.policy, options.steps) for track in missing]
    with (
        executor.Workers(lambda: executor.processes(options.workers)) as workers,
        progress.bar(len(tasks), "episodes") as bar,
    ):
        for _, length in workers.each(recording.record, tasks):
            steps += length
            bar.update()
    return steps


def parse():
    parser = arguments.parser(__doc__)
    arguments.add_data_dir(parser)
    arguments.add_seed(parser)
    arguments.add_workers(parser)
    whole, number = arguments.whole, arguments.number
    parser.add_argument("--episodes", type=whole(1), default=200, help="episodes of this policy")
    parser.add_argument("--steps", type=whole(2, 1000), default=1000, help="most steps of each")
    parser.add_argument(
        "--policy",
        choices=("random", "brownian", "agent"),
        default="random",
        help="random: a push, then random keys; brownian: a bounded random walk; "
        "agent: the trained controller with noise and, if asked, takeovers",
    )
    agent = parser.add_argument_group("with --policy agent")
    arguments.add_vision(agent)
    agent.add_argument(
        "--patience",
        type=whole(1, 1000),
        default=1000,
        help="steps without a new tile that end an episode; most of what follows is grass",
    )
    agent.add_argument(
        "--weight-noise",
        type=number(0, 10),
        default=0.05,
        help="SD of the noise on the controller's weights, anew for each episode",
    )
    agent.add_argument(
        "--action-noise",
        type=number(0, 10),
        default=0.1,
        help="SD of the noise on every action",
    )
    agent.add_argument(
        "--noise-steps",
        type=whole(1, 1000),
        default=1,
        help="steps that this noise lasts, on average: M sees what comes of lasting mistakes",
    )
    agent.add_argument(
        "--takeovers",
        type=whole(0, 1000),
        default=0,
        metavar="STEPS",
        help="steps between takeovers of wheel, pedals or both, on average; each holds an action "
        "for 5 to 160 steps; 0: none",
    )
    options = parser.parse_args()
    given = [name for name in AGENTS_OWN if getattr(options, name) != parser.get_default(name)]
    if given and options.policy != "agent":
        parser.error(f"--{given[0].replace('_', '-')} needs --policy agent")
    return options


if __name__ == "__main__":
    arguments.run(main)
