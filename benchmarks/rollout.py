"""How fast the agent drives on one core: the world, V, M and C together.

    python benchmarks/rollout.py
    python benchmarks/rollout.py --model data/models/vae

All contestants drive the same recorded actions on the same tracks, a round each in turn; the
agents compute theirs all the same. Against

- the published way: the stock world, one `predict` for V and one for M in every step;
- what the processor leaves no way around: physics alone, and V's arithmetic at the rate at which
  the processor multiplies large float32 matrices.

Times are processor time of the whole process on one core, so that what else the machine does
matters little. Resets are part of them.
"""

import time
from collections import defaultdict

from controller import arch
from controller.agent import Agent
from controller.rollout import Job, Recorder, World, drive, training_env
from envs.car_racing import shrink
from runs.arguments import PRECISIONS, run
from runs.directory import ModelDirectory, write_json
from runs.processors import native_precisions

import command_line
import common
import gymnasium
import numpy as np
import tensorflow as tf
from environment import StockPhysics, on_one_core, recorded_drive
from gymnasium.envs.box2d import car_racing

TRACKS = 8  # recorded drives; the worlds take them in turn
STEPS_PUBLISHED = 25  # timed steps a round of the published way
TO_REACH = {"published way": 100, "processor's floor": 0.7}
PARTS = ("V, M and C", "world", "reset", "rest")


class Clock:
    """Sums up the processor time of calls by what they do."""

    def __init__(self):
        self.seconds = defaultdict(float)

    def timed(self, part: str, function):
        def call(*arguments, **named):
            start = time.process_time()
            result = function(*arguments, **named)
            self.seconds[part] += time.process_time() - start
            return result

        return call


class TimedWorld(gymnasium.Wrapper):
    """A world whose resets and steps a clock counts."""

    def __init__(self, env: gymnasium.Env, clock: Clock):
        super().__init__(env)
        self.reset = clock.timed("reset", env.reset)
        self.step = clock.timed("world", env.step)


class PublishedAgent:
    """V, M and C as public implementations call them: float32 frames, `predict` in every step."""

    def __init__(self, agent: Agent, parameters: np.ndarray):
        self.encoder = common.float_encoder(agent.vision.encoder)
        self.network = agent.memory.network
        kernel, bias = arch.unpack(parameters[None])
        self.kernel, self.bias = kernel[0], bias[0]
        self.h = self.c = np.zeros((1, agent.memory.units), np.float32)

    def act(self, frame: np.ndarray) -> np.ndarray:
        """Frame (64, 64, 3) uint8 → action (3,)."""
        mean, _ = self.encoder.predict(frame[None].astype(np.float32) / 255, verbose=0)
        raw = np.tanh(np.concatenate([mean, self.h], 1) @ self.kernel + self.bias)
        action = np.stack([raw[:, 0], (raw[:, 1] + 1) / 2, np.maximum(raw[:, 2], 0)], 1)
        x = np.concatenate([mean, action], 1)[:, None].astype(np.float32)
        memory = self.network.predict([x, self.h, self.c], verbose=0)
        self.h, self.c = memory["h"], memory["c"]
        return action[0]


class ReplayedActions(Recorder):
    """Does recorded actions in place of the agent's."""

    def __init__(self, actions: list):
        self.actions = actions

    def act(self, world: World, features: np.ndarray, action: np.ndarray) -> np.ndarray:
        return next(self.actions[world.number])


def drive_all(agent: Agent, drives: list[list], worlds: int, seed: int, make_env) -> int:
    """Drive an episode in each world, with recorded actions; return the number of steps."""
    policies = np.random.default_rng(seed).normal(0, 0.1, (worlds, arch.size(agent.features)))
    places = [number % len(drives) for number in range(worlds)]
    jobs = [
        Job(policy, common.FIRST_TRACK + place)
        for policy, place in zip(policies, places, strict=True)
    ]
    actions = [iter(drives[place]) for place in places]
    outcomes = drive(
        agent,
        enumerate(jobs),
        worlds,
        most_steps=max(map(len, drives)),
        make_env=make_env,
        recorder=ReplayedActions(actions),
    )
    return sum(outcome.steps for _, outcome in outcomes)


def rollout_time(agent: Agent, drives: list[list], worlds: int, seed: int) -> float:
    """Seconds of processor time a step."""
    start = time.process_time()
    steps = drive_all(agent, drives, worlds, seed, training_env)
    return (time.process_time() - start) / steps


def parts_of(agent: Agent, drives: list[list], worlds: int) -> dict[str, float]:
    """The share of a rollout's time that each of PARTS takes."""
    clock = Clock()
    act = agent.act
    agent.act = clock.timed("V, M and C", act)
    start = time.process_time()
    drive_all(agent, drives, worlds, 0, lambda: TimedWorld(training_env(), clock))
    total = time.process_time() - start
    agent.act = act
    clock.seconds["rest"] = total - sum(clock.seconds.values())
    return {part: clock.seconds[part] / total for part in PARTS}


def physics_time(world: gymnasium.Env, drives: list[list]) -> float:
    """Seconds of processor time a step of episodes without frames or agent."""
    start = time.process_time()
    for track, actions in enumerate(drives, common.FIRST_TRACK):
        world.reset(seed=track)
        for action in actions:
            world.step(action)
    return (time.process_time() - start) / sum(map(len, drives))


def published_time(
    published: PublishedAgent, world: gymnasium.Env, actions: list, track: int
) -> float:
    """Seconds of processor time a step of an episode, of which only a few steps are done."""
    start = time.process_time()
    frame, _ = world.reset(seed=track)
    reset = time.process_time() - start
    published.act(shrink(frame))  # not timed: what is made on first use
    start = time.process_time()
    done = actions[:STEPS_PUBLISHED]
    for action in done:
        published.act(shrink(frame))
        frame = world.step(action)[0]
    return reset / len(actions) + (time.process_time() - start) / len(done)


def measure(directory: ModelDirectory, rounds: int, worlds: int, steps: int) -> dict:
    """All figures. A round is one turn of every contestant."""
    agents = {name: Agent(directory, PRECISIONS[name]) for name in native_precisions()}
    float32 = agents["float32"]
    operations = common.encoder_operations(float32.vision.encoder)
    published = PublishedAgent(float32, np.zeros(arch.size(float32.features)))
    physics, stock = StockPhysics(), car_racing.CarRacing()
    tracks = range(common.FIRST_TRACK, common.FIRST_TRACK + TRACKS)
    drives = [recorded_drive(track, steps) for track in tracks]
    for agent in agents.values():
        rollout_time(agent, [actions[:5] for actions in drives], worlds, seed=0)

    measured = defaultdict(list)
    for number in range(rounds):
        for name, agent in agents.items():
            measured[name].append(rollout_time(agent, drives, worlds, seed=number))
        measured["physics alone"].append(physics_time(physics, drives))
        measured["encoder arithmetic"].append(operations / common.matrix_rate(tf.float32))
        place = number % TRACKS
        measured["published way"].append(
            published_time(published, stock, drives[place], tracks[place])
        )
    measured["processor's floor"] = [
        sum(parts)
        for parts in zip(measured["physics alone"], measured["encoder arithmetic"], strict=True)
    ]
    return {
        "settings": {"rounds": rounds, "worlds": worlds, "tracks": TRACKS, "steps": steps},
        "step_us": {name: seconds * 1e6 for name, seconds in common.medians(measured).items()},
        "matrix_gflops": operations / common.medians(measured)["encoder arithmetic"] / 1e9,
        "encoder_mflop": operations / 1e6,
        "ratios": {
            name: {other: common.ratio(measured[other], measured[name]) for other in TO_REACH}
            for name in agents
        },
        "share_of_rollout": {
            name: parts_of(agent, drives, worlds) for name, agent in agents.items()
        },
    }


def print_table(result: dict) -> None:
    times, ratios = result["step_us"], result["ratios"]
    common.row("rollout, one core", "µs a step", "steps/s", *ratios)
    for name in ratios:
        common.row(f"ours, {name}", f"{times[name]:.0f}", f"{1e6 / times[name]:,.0f}")
    for other, least in TO_REACH.items():
        cells = [f"{of[other]:.2f} x" for of in ratios.values()]
        us = times[other]
        common.row(other, f"{us:.0f}", f"{1e6 / us:,.0f}", *cells, f"of {least:g} x")
    common.row("  physics alone", f"{times['physics alone']:.0f}")
    common.row(
        f"  {result['encoder_mflop']:.1f} MFLOP at {result['matrix_gflops']:.0f} GFLOP/s",
        f"{times['encoder arithmetic']:.0f}",
    )
    print()
    common.row("share of a rollout", *PARTS)
    for name, shares in result["share_of_rollout"].items():
        common.row(f"ours, {name}", *(f"{shares[part]:.0%}" for part in PARTS))


def main() -> None:
    parser = command_line.parser(__doc__, __file__, rounds=5)
    command_line.add(parser, "--model")
    command_line.add(parser, "--worlds", default=32)
    command_line.add(parser, "--steps", default=400)
    arguments = parser.parse_args()
    on_one_core()
    common.one_thread()
    with common.model_directory(arguments.model) as directory:
        result = measure(directory, arguments.rounds, arguments.worlds, arguments.steps)
    print_table(result)
    write_json(arguments.json, result)


if __name__ == "__main__":
    run(main)
