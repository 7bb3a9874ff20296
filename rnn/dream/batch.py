"""B dreams as arrays: their states, their randomness, and one traced call that steps them all."""

import copy

from envs.rollouts import ACTIONS
from rnn.dream.dynamics import Dream, State
from runs.arguments import BadInput

import numpy as np
import tensorflow as tf
from gymnasium import spaces

ACTION_SPACE = spaces.Box(np.array([-1, 0, 0], np.float32), np.array([1, 1, 1], np.float32))
BEGINNINGS = 2**31  # added to the time of a step: that of the start which follows it at once


class DreamBatch:
    """B dreams and their randomness. One traced call steps or begins each of them."""

    def __init__(self, dream: Dream, count: int):
        self.dream = dream
        self.count = count
        memory = dream.memory
        vector = [tf.TensorSpec((count, n)) for n in (memory.latent, memory.units, memory.units, 1)]
        counter = tf.TensorSpec((count,), tf.uint32)
        signature = [
            State(*vector),
            tf.TensorSpec((count, ACTIONS)),
            tf.TensorSpec((count,), tf.bool),
            counter,
            counter,
        ]
        self._advance = tf.function(self._step_or_begin, input_signature=signature)
        self._go_through = tf.function(self._step_and_begin, input_signature=signature)
        self._state = State(*(np.zeros(spec.shape, np.float32) for spec in vector))
        self._keys: np.ndarray = np.zeros(count, np.uint32)
        self._ticks = np.zeros(count, np.uint32)

    def at(self, temperature: float) -> "DreamBatch":
        """The same dreams at the same moment, which go on at another temperature."""
        dream = copy.copy(self.dream)
        dream.temperature = temperature
        others = DreamBatch(dream, self.count)
        others._state, others._keys, others._ticks = self._state, self._keys, self._ticks
        return others

    def seed(self, keys: np.ndarray) -> None:
        """Give every dream its key and set its clock to 0."""
        self._keys = np.asarray(keys, np.uint32)
        self._ticks = np.zeros(self.count, np.uint32)

    def advance(self, action: np.ndarray, begin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Begin anew where `begin` (B,), else do `action` (B, 3); rewards and ends, (B,) each.

        Where a dream begins, the reward is 0 and it does not end.
        """
        self._state, reward, ended = self._advance(
            self._state, np.asarray(action, np.float32), begin, self._keys, self._ticks
        )
        self._ticks = self._ticks + np.uint32(1)
        return reward.numpy(), ended.numpy()

    def go_through(
        self, action: np.ndarray, last: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Do `action` (B, 3), and begin anew at once where that ends a dream or it is the `last`
        one (B,); rewards and ends, (B,) each, and what the actions led to, (B, L)."""
        self._state, reward, ended, z = self._go_through(
            self._state, np.asarray(action, np.float32), last, self._keys, self._ticks
        )
        self._ticks = self._ticks + np.uint32(1)
        return reward.numpy(), ended.numpy(), z.numpy()

    def place(self, z: np.ndarray) -> None:
        """Set what the dreams show, all to z (L,) or each to its row of z (B, L), and their memory
        to nothing."""
        z = np.asarray(z, np.float32)
        latent = self.dream.memory.latent
        if z.shape not in ((latent,), (self.count, latent)):
            raise BadInput(f"A dream begins with {latent} numbers, not with shape {z.shape}.")
        if not np.isfinite(z).all():
            raise BadInput("A dream begins with finite numbers; there is another in z.")
        empty = np.zeros((self.count, self.dream.memory.units), np.float32)
        self._state = State.at(np.array(np.broadcast_to(z, (self.count, latent))), empty, empty)

    @property
    def z(self) -> np.ndarray:
        """What the dreams show, (B, L) float32."""
        return np.array(self._state.z)

    def _step_or_begin(self, state, action, begin, keys, ticks):
        stepped, reward, ended = self._stepped(state, action, keys, ticks)
        chosen = _chosen(begin, self.dream.begin(keys, ticks), stepped)
        return chosen, tf.where(begin, 0.0, reward), ended & ~begin

    def _step_and_begin(self, state, action, last, keys, ticks):
        stepped, reward, ended = self._stepped(state, action, keys, ticks)
        # At times of their own, so that the start does not depend on the step's random numbers.
        begun = self.dream.begin(keys, ticks + BEGINNINGS)
        return _chosen(ended | last, begun, stepped), reward, ended, stepped.z

    def _stepped(self, state, action, keys, ticks):
        action = tf.clip_by_value(action, ACTION_SPACE.low, ACTION_SPACE.high)
        stepped, reward, ended, _ = self.dream.step(state, action, keys, ticks)
        return stepped, reward, ended


def _chosen(where: tf.Tensor, this: State, that: State) -> State:
    return State(*(tf.where(where[:, None], *pair) for pair in zip(this, that, strict=True)))
