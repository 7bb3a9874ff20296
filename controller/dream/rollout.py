"""Candidates × dreams → returns: whole episodes inside one graph, thousands of them together."""

import itertools
from collections.abc import Sequence
from typing import Protocol

from controller import arch
from controller.rollout import Outcome
from rnn.dream.dynamics import POINTS_OF_TRACK, Dream

import numpy as np
import tensorflow as tf

MOST_DREAMS = 4096  # dreamt at once; more fit no cache and are no faster


def features_of(dream: Dream) -> int:
    """How many numbers a policy acts on in a dream."""
    return dream.memory.latent + dream.memory.units


def parts(parameters: np.ndarray, keys: np.ndarray) -> list[np.ndarray]:
    """The policies (N, P) in parts of those that are dreamt with at once."""
    together = max(1, MOST_DREAMS // len(keys))
    return [parameters[i : i + together] for i in range(0, len(parameters), together)]


class DreamRollout:
    """Lets policies drive in dreams of at most `steps` steps.

    Dimensions: N candidates, D dreams of each, N·D rows, F features. Every row has its own latent
    and memory; the rows of a candidate share its policy, and the dreams with the same key meet
    the same start and the same randomness, whoever drives.
    """

    def __init__(self, dream: Dream, steps: int):
        self.dream = dream
        self.steps = steps
        self.features = features_of(dream)
        self._dream_episodes = tf.function(
            self._episodes,
            input_signature=[
                tf.TensorSpec((None, self.features, arch.ACTIONS)),
                tf.TensorSpec((None, arch.ACTIONS)),
                tf.TensorSpec((None,), tf.uint32),
            ],
        )

    def drive(self, parameters: np.ndarray, keys: np.ndarray) -> list[list[Outcome]]:
        """Policies (N, P), dream keys (D,) → outcomes [N][D].

        An outcome's `tiles` is the share of the track's points that tiles gave; all are a lap.
        """
        dreamt = [
            self._dream_episodes(*arch.unpack(part), keys) for part in parts(parameters, keys)
        ]
        score, tiles, steps = (np.concatenate(part) for part in zip(*dreamt, strict=True))
        return [
            [
                Outcome(float(s), int(n), float(t), bool(t >= 1))
                for s, t, n in zip(*row, strict=True)
            ]
            for row in zip(score, tiles, steps, strict=True)
        ]

    def _episodes(self, kernel, bias, keys):
        """(N, F, 3), (N, 3), (D,) → returns, shares of tiles, lengths: (N, D) each."""
        candidates, dreams = tf.shape(kernel)[0], tf.shape(keys)[0]
        rows = candidates * dreams
        keys = tf.tile(keys, [candidates])
        state = self.dream.begin(keys, tf.zeros((rows,), tf.uint32))
        score, points, lengths = tf.zeros(rows), tf.zeros(rows), tf.zeros(rows, tf.int32)
        going = tf.fill([rows], True)
        tick = tf.constant(0)
        while tick < self.steps and tf.reduce_any(going):
            tick += 1
            features = tf.reshape(tf.concat([state.z, state.h], -1), [candidates, dreams, -1])
            raw = tf.einsum("ndf,nfa->nda", features, kernel) + bias[:, None]
            action = tf.reshape(arch.squash(raw), [rows, arch.ACTIONS])
            ticks = tf.fill([rows], tf.cast(tick, tf.uint32))
            state, reward, ended, _ = self.dream.step(state, action, keys, ticks)
            score += tf.where(going, reward, 0.0)
            points = tf.where(going, state.points[:, 0], points)
            lengths += tf.cast(going, tf.int32)
            going &= ~ended
        shape = [candidates, dreams]
        shares = points / POINTS_OF_TRACK
        return tuple(tf.reshape(part, shape) for part in (score, shares, lengths))


class DreamEvaluator(Protocol):
    """Whatever lets policies drive in the dreams of one M."""

    features: int

    def drive(self, parameters: np.ndarray, keys: np.ndarray) -> list[list[Outcome]]: ...


class Ensemble:
    """Rollouts in the dreams of several M's, each of which dreams an equal share of the keys.

    The M's stand in one line: each but the first has learned on from another. So one C can read
    the memory of all, and what it gains by an error of one M it loses where the others know
    better.
    """

    def __init__(self, rollouts: Sequence[DreamEvaluator]):
        self.rollouts = rollouts
        self.features = rollouts[0].features

    def drive(self, parameters: np.ndarray, keys: np.ndarray) -> list[list[Outcome]]:
        """As `DreamRollout.drive`, the dreams of the first M first."""
        shares = [keys[i :: len(self.rollouts)] for i in range(len(self.rollouts))]
        driven = [
            rollout.drive(parameters, share)
            for rollout, share in zip(self.rollouts, shares, strict=True)
            if len(share)
        ]
        return [list(itertools.chain(*rows)) for rows in zip(*driven, strict=True)]
