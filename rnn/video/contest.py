"""The CVAE beside others on the same stretches: a copied frame, M's decoded dream, the ceiling.

Dimensions: N stretches, F frames ahead.
"""

import dataclasses
import itertools

from rnn import predict as m
from rnn.saved import Memory
from rnn.video import measures, predict
from rnn.video.arch_cvae import LATENT, Networks
from rnn.video.measures import Stretch
from vae import Vision

import numpy as np

WARM_UP = 10  # true frames that M sees before it is left to itself, as in rnn/measures.py
COPY = "last frame, copied"
ONE, ZERO = "CVAE, one sample", "CVAE, z = 0"
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

    def predictions(self, stretch: Stretch, number: int) -> dict[str, np.ndarray]:
        """Each one's frames (N, F, 64, 64, 3) in [0, 1] for stretches of video `number`."""
        frames, condition = self._seen(stretch)
        length = stretch.frames.shape[1] - self.before
        last = stretch.frames[:, self.before - 1, None].repeat(length, axis=1)
        found = {
            COPY: last / np.float32(255),
            ONE: predict.imagined(self.networks, frames, condition, self._noise(stretch, number)),
            ZERO: predict.imagined(
                self.networks, frames, condition, np.zeros_like(self._noise(stretch, number))
            ),
        }
        return found | (self._of_agent(*self.agent, stretch) if self.agent else {})

    def measured(self, stretch: Stretch, number: int) -> dict[str, dict[str, np.ndarray]]:
        """Each one's measures (N, F), and those of the best of some samples of the CVAE."""
        true = stretch.frames[:, self.before :] / np.float32(255)
        predictions = self.predictions(stretch, number)
        frames, condition = self._seen(stretch)
        noise = (self._noise(stretch, number, sample) for sample in range(1, self.samples))
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
        pairs = [(name, COPY) for name in (ONE, ZERO, self.best)]
        if self.agent:
            pairs += [(name, other) for name in (ONE, ZERO) for other in (M_MEAN, M_DRAWN)]
        return pairs

    def _seen(self, stretch: Stretch) -> tuple[np.ndarray, np.ndarray]:
        """What the CVAE is given: the last of the frames before, and the condition from there."""
        first = self.before - self.networks.past
        return stretch.frames[:, first : self.before], stretch.condition[:, first:]

    def _noise(self, stretch: Stretch, number: int, sample: int = 0) -> np.ndarray:
        _, condition = self._seen(stretch)
        rng = np.random.default_rng((self.seed, number, sample))
        return rng.standard_normal((*condition.shape[:2], LATENT), np.float32)

    def _of_agent(self, vision: Vision, memory: Memory, stretch: Stretch) -> dict[str, np.ndarray]:
        flat = stretch.frames.reshape(-1, *stretch.frames.shape[2:])
        z = vision.encoder(flat)[0].numpy().reshape(*stretch.frames.shape[:2], -1)
        latents = {
            M_MEAN: m.open_loop(memory, z, stretch.condition, WARM_UP),
            M_DRAWN: m.open_loop(memory, z, stretch.condition, WARM_UP, self.seed),
            CEILING: z[:, WARM_UP:],
        }
        return {name: _drawn(vision, values) for name, values in latents.items()}


def _drawn(vision: Vision, z: np.ndarray) -> np.ndarray:
    """Latents (N, F, L) → frames (N, F, 64, 64, 3) in [0, 1]."""
    frames = vision.decoder(z.reshape(-1, z.shape[-1])).numpy()
    return frames.reshape(*z.shape[:2], *frames.shape[1:])
