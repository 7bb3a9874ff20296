"""How fast the world steps on one core, against the stock world, EnvPool and physics alone.

    python benchmarks/environment.py
    python benchmarks/environment.py --picture res/renderer.png

All contestants drive the same recorded actions, a round each in turn, and the medians count.
Times are processor time of the whole process on one core, so that what else the machine does
matters little; EnvPool's threads are included.
"""

import math
import os
import statistics
import time
from collections import defaultdict

from envs.car_racing import CarRacing, shrink
from envs.view import view_at
from runs.arguments import run
from runs.directory import write_json, write_whole

import command_line
import cv2
import gymnasium
import numpy as np
from gymnasium.envs.box2d import car_racing

STEPS_FAST = 400  # timed steps a round of worlds that draw quickly or not at all
STEPS_STOCK = 60  # and of the stock world
STEPS_BEFORE = 60  # not timed: the zoom, and what is made on first use
ENVPOOL_BATCHES = (1, 4, 16, 64)  # worlds stepped by one call, on one thread
SPEED = 50  # world units a second, of the recorded drives
TO_REACH = {"stock": 50, "EnvPool": 4, "physics alone": 0.5}
MAGNIFIED = 4  # pixels of the picture for one of a frame
AMPLIFIED = 8  # differences in the picture are that many times as large


class StockPhysics(car_racing.CarRacing):
    """The stock world without its frames: physics, rewards and endings alone."""

    def _render(self, mode):
        return None


class BothRenderings(CarRacing):
    """The fast rendering; `stock` holds the original's frame of the same moment."""

    def _render(self, mode):
        self.stock = shrink(car_racing.CarRacing._render(self, mode))
        return super()._render(mode)


def steer_along_track(world: car_racing.CarRacing) -> np.ndarray:
    """An action towards a point of the track some way ahead."""
    places = np.array(world.track)[:, 2:]
    nearest = int(((places - world.car.hull.position) ** 2).sum(axis=1).argmin())
    return steer_towards(world, *places[(nearest + 4) % len(places)])


def steer_towards(world: car_racing.CarRacing, goal_x: float, goal_y: float) -> np.ndarray:
    """An action towards a point of the world, at about SPEED."""
    hull = world.car.hull
    x, y = hull.position
    turn = math.atan2(goal_y - y, goal_x - x) - math.pi / 2 - hull.angle
    turn = (turn + math.pi) % math.tau - math.pi
    gas = 0.6 * (hull.linearVelocity.length < SPEED)
    return np.array([np.clip(-1.5 * turn, -1, 1), gas, 0], np.float32)


def recorded_drive(seed: int, steps: int) -> list[np.ndarray]:
    """The actions of an episode that follows the track, at most `steps` of them."""
    world = StockPhysics()
    world.reset(seed=seed)
    actions = []
    for _ in range(steps):
        actions.append(steer_along_track(world))
        if world.step(actions[-1])[2]:
            break
    return actions


# Measuring


def step_time(world: gymnasium.Env, seed: int, actions: list, steps: int) -> float:
    """Microseconds of processor time a step, after STEPS_BEFORE others."""
    world.reset(seed=seed)
    for action in actions[:STEPS_BEFORE]:
        world.step(action)
    timed = actions[STEPS_BEFORE : STEPS_BEFORE + steps]
    start = time.process_time()
    for action in timed:
        world.step(action)
    return (time.process_time() - start) / len(timed) * 1e6


def envpool_step_time(pool, actions: list, batch: int) -> float:
    """Microseconds of processor time a step of one of the pool's worlds."""
    pool.reset()
    calls = max(STEPS_FAST // batch, 10)
    for action in actions[:STEPS_BEFORE]:
        pool.step(np.tile(action, (batch, 1)))
    start = time.process_time()
    for action in actions[STEPS_BEFORE : STEPS_BEFORE + calls]:
        pool.step(np.tile(action, (batch, 1)))
    return (time.process_time() - start) / (calls * batch) * 1e6


def episode_rate(world: gymnasium.Env, seed: int, actions: list) -> float:
    """Steps a second of processor time over an episode, its reset included."""
    start = time.process_time()
    world.reset(seed=seed)
    for action in actions:
        world.step(action)
    return len(actions) / (time.process_time() - start)


def reset_time(world: gymnasium.Env, seed: int) -> float:
    """Milliseconds of processor time."""
    start = time.process_time()
    world.reset(seed=seed)
    return (time.process_time() - start) * 1e3


def call_time(function, *arguments, calls: int = 300) -> float:
    """Microseconds of processor time a call."""
    start = time.process_time()
    for _ in range(calls):
        function(*arguments)
    return (time.process_time() - start) / calls * 1e6


def envpools(seed: int) -> dict:
    """A pool for every batch size, or none if EnvPool is not installed: {batch: pool}."""
    try:
        import envpool
    except ImportError:
        return {}
    return {
        batch: envpool.make(
            "CarRacing-v3", env_type="gymnasium", num_envs=batch, num_threads=1, seed=seed
        )
        for batch in ENVPOOL_BATCHES
    }


def measure(rounds: int, seed: int) -> dict:
    """All figures, medians over the rounds. A round is one track."""
    fast, physics = CarRacing(), StockPhysics()
    stock = car_racing.CarRacing()
    pools = envpools(seed)
    measured = defaultdict(list)
    for track in range(seed, seed + rounds):
        actions = recorded_drive(track, steps=1000)
        measured["fast"].append(step_time(fast, track, actions, STEPS_FAST))
        car, view, renderer = fast.car, view_at(fast.t), fast.renderer
        measured["ground"].append(call_time(renderer.draw_ground, car, view))
        measured["car"].append(call_time(view.draw_car, fast.state, car))
        measured["physics"].append(step_time(physics, track, actions, STEPS_FAST))
        measured["stock"].append(step_time(stock, track, actions, STEPS_STOCK))
        for batch, pool in pools.items():
            measured[f"envpool {batch}"].append(envpool_step_time(pool, actions, batch))
        measured["fast reset"].append(reset_time(fast, track + rounds))
        measured["physics reset"].append(reset_time(physics, track + rounds))
        begin = (fast.road_poly, fast.road_color, fast.bg_color, fast.grass_color)
        measured["begin"].append(call_time(renderer.begin, *begin, calls=5) / 1e3)
        measured["fast episode"].append(episode_rate(fast, track, actions))
        measured["physics episode"].append(episode_rate(physics, track, actions))
    actions = recorded_drive(seed, steps=1000)
    stock_episode = episode_rate(stock, seed, actions)

    median = {name: statistics.median(values) for name, values in measured.items()}
    at_batch = {batch: median[f"envpool {batch}"] for batch in pools}
    best = min(at_batch, key=at_batch.get, default=None)
    ratios = {
        "stock": median["stock"] / median["fast"],
        "physics alone": median["physics"] / median["fast"],
        "EnvPool": at_batch[best] / median["fast"] if pools else None,
    }
    rest = median["fast"] - median["physics"] - median["ground"] - median["car"]
    parts = {
        "physics": median["physics"],
        "ground": median["ground"],
        "car": median["car"],
        "rest": rest,
    }
    return {
        "settings": {"rounds": rounds, "seed": seed, "gymnasium": gymnasium.__version__},
        "step_us": {
            "fast": median["fast"],
            "stock": median["stock"],
            "physics alone": median["physics"],
            "EnvPool by batch": at_batch,
        },
        "ratios": ratios,
        "share_of_step": {part: us / median["fast"] for part, us in parts.items()},
        "reset_ms": {
            "fast": median["fast reset"],
            "physics alone": median["physics reset"],
            "drawing the ground": median["begin"],
        },
        "episode_steps_per_s": {
            "fast": median["fast episode"],
            "physics alone": median["physics episode"],
            "stock": stock_episode,
        },
    }


def on_one_core() -> None:
    """Keep this process and its threads on one core, where the system allows it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def print_table(result: dict) -> None:
    def row(name: str, *cells: str) -> None:
        print(f"{name:<34}" + "".join(f"{cell:>14}" for cell in cells))

    fast = result["step_us"]["fast"]
    row("step, one core", "µs", "steps/s", "ours is", "to reach")
    row("ours", f"{fast:.1f}", f"{1e6 / fast:,.0f}")
    others = [
        ("stock", result["step_us"]["stock"]),
        ("physics alone", result["step_us"]["physics alone"]),
    ]
    by_batch = result["step_us"]["EnvPool by batch"]
    if by_batch:
        best = min(by_batch, key=by_batch.get)
        others.insert(1, ("EnvPool", by_batch[best]))
    for name, us in others:
        label = f"EnvPool, best batch {best}" if name == "EnvPool" else name
        ratio = result["ratios"][name]
        row(label, f"{us:.1f}", f"{1e6 / us:,.0f}", f"{ratio:.2f} x", f"{TO_REACH[name]:g} x")
    if not by_batch:
        row("EnvPool", "not installed", "", "", f"{TO_REACH['EnvPool']:g} x")
    print()
    row("share of our step", *result["share_of_step"])
    row("", *(f"{share:.0%}" for share in result["share_of_step"].values()))
    print()
    row("reset, ms", "ours", "physics alone", "the ground")
    row("", *(f"{ms:.1f}" for ms in result["reset_ms"].values()))
    print()
    row("driven episodes with reset", "ours", "physics alone", "stock")
    row("steps/s", *(f"{rate:,.0f}" for rate in result["episode_steps_per_s"].values()))


# The picture


def moments(seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Named moments, each with the stock frame and ours."""
    world = BothRenderings()
    shown = {}

    def show(name: str, frame: np.ndarray) -> None:
        shown[name] = (world.stock, frame.copy())

    frame, _ = world.reset(seed=seed)
    show("start", frame)
    sharpest, straightest = 0.0, 1.0
    for step in range(2, 500):
        action = steer_along_track(world)
        frame = world.step(action)[0]
        if step in (10, 25):
            show(f"step {step}", frame)
        bend = abs(world.car.hull.angularVelocity)
        if step > 60 and bend > sharpest:
            sharpest = bend
            show("curve", frame)
        if step > 60 and bend < straightest:
            straightest = bend
            show("straight", frame)
    ended = False
    while not ended:
        x, y = world.car.hull.position
        beyond_the_edge = np.sign(x) * 2 * car_racing.PLAYFIELD, y
        frame, _, ended, _, _ = world.step(steer_towards(world, *beyond_the_edge))
        if max(abs(x), abs(y)) < 0.9 * car_racing.PLAYFIELD:
            show("off the road", frame)
    show("edge", frame)
    return shown


def picture(seed: int) -> np.ndarray:
    """Stock frames above ours above their amplified difference, a column for every moment."""
    columns = []
    for name, (stock, ours) in moments(seed).items():
        error = np.abs(stock.astype(int) - ours)
        rows = [stock, ours, (error * AMPLIFIED).clip(0, 255).astype(np.uint8)]
        column = cv2.copyMakeBorder(np.vstack(rows), 0, 0, 0, 1, cv2.BORDER_CONSTANT)
        column = column.repeat(MAGNIFIED, axis=0).repeat(MAGNIFIED, axis=1)
        title = np.full((24, column.shape[1], 3), 255, np.uint8)
        write_text(title, f"{name}: {error.mean():.2f}/255")
        columns.append(np.vstack([title, column]))
    table = np.hstack(columns)
    legend = np.full((24, table.shape[1], 3), 255, np.uint8)
    text = f"Stock CarRacing-v3 shrunk, the fast rendering, their difference x {AMPLIFIED}"
    write_text(legend, f"{text}; above: the mean absolute difference.")
    return np.vstack([table, legend])


def write_text(strip: np.ndarray, text: str) -> None:
    place = (4, 17)
    cv2.putText(strip, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)


def main() -> None:
    parser = command_line.parser(__doc__, __file__)
    command_line.add(parser, "--rounds", default=9, help="tracks, one a round")
    command_line.add(parser, "--seed", default=1, help="of the first track")
    command_line.add(
        parser,
        "--picture",
        help="measure nothing; write a PNG of stock frames and ours side by side",
    )
    arguments = parser.parse_args()
    if arguments.picture:
        with write_whole(arguments.picture) as temporary:
            cv2.imwrite(str(temporary), cv2.cvtColor(picture(arguments.seed), cv2.COLOR_RGB2BGR))
        return
    on_one_core()
    result = measure(arguments.rounds, arguments.seed)
    print_table(result)
    write_json(arguments.json, result)


if __name__ == "__main__":
    run(main)
