"""The dream: M run as a world (Ha & Schmidhuber 2018, section 4).

A sampled latent is fed back as the next observation. Dimensions: B worlds that dream side by
side, L latent numbers, H units of memory.
"""

from typing import NamedTuple

from rnn import arch, saved, series
from rnn.dream import noise, starts
from runs.arguments import BadInput
from runs.directory import ModelDirectory

import tensorflow as tf

POINTS_OF_TRACK = 1000.0  # CarRacing's reward for all tiles of a track
LEFT_PLAYFIELD = -100.0  # CarRacing's reward of the step that drives out of its world
NEEDED_HEADS = ("tile", "done")


class State(NamedTuple):
    """Where B worlds are: what is seen, z (B, L), the LSTM's memory, h and c (B, H), and how many
    points tiles gave so far, (B, 1)."""

    z: tf.Tensor
    h: tf.Tensor
    c: tf.Tensor
    points: tf.Tensor

    @classmethod
    def at(cls, z: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> "State":
        """There, and no tile reached yet."""
        return cls(z, h, c, tf.zeros((tf.shape(z)[0], 1)))


class Dream:
    """M of a model directory as the dynamics of a world: pure functions on batches, for graphs.

    Rewards are in CarRacing's points, as M's heads expect them: -0.1 a step and the worth of a
    tile times the probability to reach one. The episode ends with the probability that the done
    head gives. CarRacing ends with the lap's last tile or outside the playfield, so an end counts
    as the former with the probability of a tile and as the latter, -100 points, with the rest. And
    it ends when tiles have given the 1000 points of a whole track: M sees no more than a bend of
    the road and cannot count, and a dream without laps would reward speed that the world does not.

    Temperature τ: see `rnn.arch.draw`. Randomness follows from `keys` and `ticks`, (B,) uint32: a
    world's seed and the time since then; see `rnn.dream.noise`.

    Dreams start where recorded episodes did ("first"), with an empty memory, or at any of their
    moments ("anywhere", a quarter of them still where episodes did), with what M remembered
    there: a frame alone does not say how fast the car is, and M would have to guess.

    Raises `BadInput` when the directory has no M, the M lacks a head, there are no recorded
    starts, or τ is not above 0.
    """

    def __init__(self, directory: ModelDirectory, temperature: float = 1.0, start: str = "first"):
        if not temperature > 0:
            raise BadInput(f"The temperature is {temperature}; a dream needs one above 0.")
        self.directory = directory
        self.temperature = temperature
        self.memory = saved.load(directory)
        lacking = [head for head in NEEDED_HEADS if head not in self.memory.heads]
        if lacking:
            raise BadInput(
                f"M in {directory.path} has no {' and no '.join(lacking)} head, which a dream "
                "needs; train it with weights of both above 0.",
                options=("reward_weight", "done_weight"),
            )
        self.starts = starts.read(directory, self.memory, start)
        self._cell = self.memory.network.get_layer("lstm").cell
        self._mixture, self._tile, self._done = (
            self.memory.network.get_layer(name) for name in ("mixture", *NEEDED_HEADS)
        )

    def begin(self, keys: tf.Tensor, ticks: tf.Tensor) -> State:
        """New episodes: a recorded start, drawn at random."""
        first, count = self.starts.beginnings, len(self.starts.z)
        share = {0: 0.0, count: 1.0}.get(first, series.BEGINNINGS)
        which, kind = tf.unstack(noise.uniform(keys, ticks, 2), axis=-1)
        low, high = (tf.where(kind < share, *ends) for ends in ((0, first), (first, count)))
        drawn = low + tf.cast(which * tf.cast(high - low, tf.float32), tf.int32)
        drawn = tf.minimum(drawn, high - 1)
        recorded = (self.starts.z, self.starts.h, self.starts.c)
        return State.at(*(tf.gather(part, drawn) for part in recorded))

    def step(
        self, state: State, action: tf.Tensor, keys: tf.Tensor, ticks: tf.Tensor
    ) -> tuple[State, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Do actions (B, 3): the next state; rewards, ends (bool) and the probabilities of a tile,
        (B,) each."""
        latent = self.memory.latent
        random = noise.uniform(keys, ticks, 2 * latent + 1)
        memory, (h, c) = self._cell(tf.concat([state.z, action], -1), [state.h, state.c])
        z = arch.draw(
            self._mixture(memory),
            latent,
            self.temperature,
            random[:, :latent],
            noise.normal(random[:, latent : 2 * latent]),
        )
        tile = tf.sigmoid(self._tile(memory)[:, 0])
        ended = random[:, -1] < tf.sigmoid(self._done(memory)[:, 0])
        reward = starts.STEP_REWARD + tile * self.starts.tile
        reward = tf.where(ended, tile * reward + (1 - tile) * LEFT_PLAYFIELD, reward)
        points = state.points + tile[:, None] * self.starts.tile
        return State(z, h, c, points), reward, ended | (points[:, 0] >= POINTS_OF_TRACK), tile
