"""A person drives: the real world, M's dream of it, or both side by side."""

import dataclasses
import os

import envs
import rnn
import vae
from runs.arguments import BadInput
from runs.directory import ModelDirectory

import gymnasium
import numpy as np

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
# Accelerated, SDL loads libraries for the graphics card that crash beside TensorFlow's.
os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
import pygame  # noqa: E402 - after it was told not to greet

SIDE = 512  # pixels of a world's picture
BAR = 48  # pixels of the line below
FPS = 50  # steps of CarRacing in a second
HELP = "arrows: drive   R: again   Esc: leave"


@dataclasses.dataclass
class Side:
    """One of the worlds in the window; its observations are frames (64, 64, 3) uint8."""

    name: str
    env: gymnasium.Env
    frame: np.ndarray = dataclasses.field(init=False)
    score: float = 0.0
    steps: int = 0
    over: bool = False

    def begin(self, track: int, z: np.ndarray | None = None) -> None:
        """Start an episode: on a real track, or of a dream that begins with latent z (L,)."""
        options = None if z is None else {"z": z}
        self.frame, _ = self.env.reset(seed=track, options=options)
        self.score, self.steps, self.over = 0.0, 0, False

    def step(self, action: np.ndarray) -> None:
        if self.over:
            return
        self.frame, reward, terminated, truncated, _ = self.env.step(action)
        self.score += float(reward)
        self.steps += 1
        self.over = terminated or truncated

    def words(self) -> str:
        ended = ", over" if self.over else ""
        return f"{self.name}: {self.score:.1f} points, {self.steps} steps{ended}"


class Game:
    """The worlds that a person drives at once, with the same actions.

    The dream begins with what V sees of the real track's first frame, so that both start from
    the same place and differ by what M predicts.
    """

    def __init__(self, directory: ModelDirectory, worlds: str, temperature: float, track: int):
        self.track = track
        self.sides = []
        self._vision = None
        if worlds != "dream":
            self.sides.append(Side("world", gymnasium.make(envs.ENV_ID)))
        if worlds != "real":
            dream = gymnasium.make(
                rnn.DREAM_ID,
                model=directory.path,
                temperature=temperature,
                observation="frame",
            )
            self.sides.append(Side("dream", dream))
        if worlds == "both":
            self._vision = vae.load(directory)
        self.begin()

    def begin(self) -> None:
        """Start all worlds over, on the same track."""
        z = None
        for side in self.sides:
            side.begin(self.track, z)
            if self._vision is not None:
                z = self._vision.encoder(side.frame[None])[0].numpy()[0]

    def step(self, action: np.ndarray) -> None:
        for side in self.sides:
            side.step(action)

    def words(self) -> str:
        return "   ".join(side.words() for side in self.sides)

    def close(self) -> None:
        for side in self.sides:
            side.env.close()


def play(game: Game) -> int:
    """Open a window and drive until Esc or the window's close button; returns the steps driven."""
    if os.environ.get("SDL_VIDEODRIVER") == "dummy":
        raise BadInput("There is no screen to open a window on; set DISPLAY or play elsewhere.")
    try:
        pygame.display.init()
        window = pygame.display.set_mode((SIDE * len(game.sides), SIDE + BAR))
    except pygame.error as problem:
        raise BadInput(
            f"No window can be opened ({problem}); play where there is a screen."
        ) from None
    pygame.font.init()
    pygame.display.set_caption("World Models: " + " and ".join(side.name for side in game.sides))
    font, clock = pygame.font.Font(None, 24), pygame.time.Clock()
    steps = 0
    try:
        while True:
            for event in pygame.event.get():
                escape = event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE
                if event.type == pygame.QUIT or escape:
                    return steps
                if event.type == pygame.KEYDOWN and event.key == pygame.K_r:
                    game.begin()
            game.step(action_of(pygame.key.get_pressed()))
            steps += 1
            _draw(window, font, game)
            clock.tick(FPS)
    finally:
        pygame.quit()


def action_of(pressed) -> np.ndarray:
    """Arrow keys → action (3,) float32: full steering, full gas, 0.8 of the brake.

    Braking with all its force blocks the wheels.
    """
    steering = float(pressed[pygame.K_RIGHT]) - float(pressed[pygame.K_LEFT])
    return np.array([steering, pressed[pygame.K_UP], 0.8 * pressed[pygame.K_DOWN]], np.float32)


def _draw(window, font, game: Game) -> None:
    window.fill((0, 0, 0))
    for place, side in enumerate(game.sides):
        picture = pygame.surfarray.make_surface(side.frame.swapaxes(0, 1))
        window.blit(pygame.transform.smoothscale(picture, (SIDE, SIDE)), (place * SIDE, 0))
        words = font.render(side.words(), True, (255, 255, 255))
        window.blit(words, (place * SIDE + 8, SIDE + 4))
    window.blit(font.render(HELP, True, (160, 160, 160)), (8, SIDE + 26))
    pygame.display.flip()
