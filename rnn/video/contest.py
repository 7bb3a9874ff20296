"""The CVAE beside others on the same stretches: a copied frame, M's decoded dream, the ceiling.

Dimensions: N stretches, F frames ahead.
"""

import dataclasses
import itertools

from rnn import predict as m
from rnn.measures import WARM_UP
from rnn.saved import Memory
from rnn.video import measures, predict
from rnn.video.arch_cvae import LATENT, Networks
from rnn.video.measures import Stretch
from vae import Vision
from vae.arch import to_unit

import numpy as np

TOGETHER = 16  # stretches of a video that are predicted side by side
COPY = "last frame, copied"
ONE, ZERO, PRIOR_MEAN = "CVAE, one sample", "CVAE, z = 0", "CVAE, prior's mean"
M_MEAN, M_DRAWN = "M, by its mean", "M, by samples"
CEILING = "decode (encode)"


@dataclasses.dataclass(frozen=True)
class Contest:
    """Who predicts: a CVAE, the copy of the last frame, and an agent's V and M if there is one."""

    networks: Networks
    samples: int
    seed: int
    agent: tuple[Vision, Memory] | None = None

    @property
    def before(self) -> int:
        """The frames that the one who looks back furthest sees."""
        return max(self.networks.past, WARM_UP if self.agent else 0)

    @property
    def likeliest(self) -> str:
        """What the CVAE without noise is called."""
        return ZERO if self.networks.prior is None else PRIOR_MEAN

    def predictions(self, stretch: Stretch, number: int, part: int = 0) -> dict[str, np.ndarray]:
        """Each one's frames (N, F, 64, 64, 3) in [0, 1] for stretches, a part of video `number`."""
        frames, condition = self._observed(stretch)
        length = stretch.frames.shape[1] - self.before
        last = to_unit(stretch.frames[:, self.before - 1, None]).numpy()
        noise = self._noise(stretch, number, part)
        found = {
            COPY: last.repeat(length, axis=1),
            ONE: predict.imagined(self.networks, frames, condition, noise),
            self.likeliest: predict.imagined(
                self.networks, frames, condition, np.zeros_like(noise)
            ),
        }
        return found | (self._of_agent(*self.agent, stretch, number, part) if self.agent else {})

    def measured(self, stretch: Stretch, number: int) -> dict[str, dict[str, np.ndarray]]:
        """Each one's measures (N, F), and those of the best of some samples of the CVAE."""
        parts = [
            self._measured(few, number, part) for part, few in enumerate(stretch.parts(TOGETHER))
        ]
        return {
            name: {
                measure: np.concatenate([part[name][measure] for part in parts])
                for measure in measured
            }
            for name, measured in parts[0].items()
        }

    def _measured(self, stretch: Stretch, number: int, part: int) -> dict[str, dict]:
        true = to_unit(stretch.frames[:, self.before :]).numpy()
        predictions = self.predictions(stretch, number, part)
        frames, condition = self._observed(stretch)
        noise = (self._noise(stretch, number, part, sample) for sample in range(1, self.samples))
        others = (predict.imagined(self.networks, frames, condition, one) for one in noise)
        best = measures.best(true, itertools.chain([predictions[ONE]], others))
        return {
            name: measures.compare(true, frames)
            for name, frames in (predictions | {self.best: best}).items()
        }

    @property
    def best(self) -> str:
        return f"CVAE, best of {self.samples}"

    def rivals(self) -> list[tuple[str, str]]:
        """Who is compared with whom."""
        pairs = [(name, COPY) for name in (ONE, self.likeliest, self.best)]
        if self.agent:
            pairs += [
                (name, other) for name in (ONE, self.likeliest) for other in (M_MEAN, M_DRAWN)
            ]
        return pairs

    def _observed(self, stretch: Stretch) -> tuple[np.ndarray, np.ndarray]:
        """What the CVAE is given: the last of the frames before, and the condition from there."""
        first = self.before - self.networks.past
        return stretch.frames[:, first : self.before], stretch.condition[:, first:]

    def _noise(self, stretch: Stretch, number: int, part: int, sample: int = 0) -> np.ndarray:
        _, condition = self._observed(stretch)
        rng = np.random.default_rng((self.seed, number, part, sample))
        return rng.standard_normal((*condition.shape[:2], LATENT), np.float32)

    def _of_agent(
        self, vision: Vision, memory: Memory, stretch: Stretch, number: int, part: int
    ) -> dict[str, np.ndarray]:
        flat = stretch.frames.reshape(-1, *stretch.frames.shape[2:])
        z = vision.encoder(flat)[0].numpy().reshape(*stretch.frames.shape[:2], -1)
        seed = int(np.random.default_rng((self.seed, number, part)).integers(2**31))
        latents = {
            M_MEAN: m.open_loop(memory, z, stretch.condition, self.before),
            M_DRAWN: m.open_loop(memory, z, stretch.condition, self.before, seed),
            CEILING: z[:, self.before :],
        }
        return {name: _drawn(vision, values) for name, values in latents.items()}


def _drawn(vision: Vision, z: np.ndarray) -> np.ndarray:
    """Latents (N, F, L) → frames (N, F, 64, 64, 3) in [0, 1]."""
    frames = vision.decoder(z.reshape(-1, z.shape[-1])).numpy()
    return frames.reshape(*z.shape[:2], *frames.shape[1:])
