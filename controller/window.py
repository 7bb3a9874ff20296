"""The window in which a person drives: pictures, instruments, keys."""

import itertools
import os
from pathlib import Path

from controller.play import WARMER, Game, Side
from controller.report import video
from controller.steering import Hands
from runs.arguments import BadInput
from runs.videos import save_video

import cv2
import numpy as np

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
# Accelerated, SDL loads libraries for the graphics card that crash beside TensorFlow's.
os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
import pygame  # noqa: E402 - after it was told not to greet

LARGE, SMALL = (768, 512), (256, 256)  # pixels of the world from above, and of a frame
SIDE = 512  # pixels of a dream that is driven alone
BAR = 96  # pixels of the instruments below
FPS = 50  # steps of CarRacing in a second
WHITE, GREY, DARK, BLACK = (255, 255, 255), (150, 150, 150), (60, 60, 60), (0, 0, 0)
GREEN, RED, BLUE = (90, 200, 90), (220, 80, 80), (110, 160, 240)
FASTEST = 100.0  # Box2D's units a second, of the speedometer
DRIVING = "arrows: drive   A: the agent drives   P: pause   R: again   N: next track"
TEMPERATURE = "+ -: temperature of the dream, now {0:.2f}   "
LEAVING = "V: video on, off   Esc: leave"


class Window:
    """Shows a game, and hears the keys."""

    def __init__(self, game: Game, videos: Path):
        self.game = game
        self._videos = videos
        self._hands = Hands()
        self._video_frames: list[np.ndarray] | None = None  # pictures of the video that is recorded
        self._paused = False
        width = SIDE
        if game.sides[0].name == "world":
            width = LARGE[0] + SMALL[0]
        self._screen = pygame.display.set_mode((max(width, 640), LARGE[1] + BAR))
        self._font = pygame.font.Font(None, 22)
        pygame.display.set_caption("World Models: " + " and ".join(s.name for s in game.sides))
        pygame.joystick.init()
        pads = pygame.joystick.get_count()
        self._gamepad = pygame.joystick.Joystick(0) if pads else None

    def drive(self) -> int:
        """Drive until Esc or the window's close button; returns the steps driven."""
        clock, steps = pygame.time.Clock(), 0
        while all(self._heard(event) for event in pygame.event.get()):
            action, used = self._hands.action(pygame.key.get_pressed(), self._gamepad)
            if used and self.game.by_agent:
                self.game.change_driver()  # Who touches the wheel has it.
            if not self._paused:
                self.game.step(action)
                steps += 1
            self._draw()
            if self._video_frames is not None and steps % video.EVERY == 0 and not self._paused:
                self._video_frames.append(self._picture())
            clock.tick(FPS)
        self._end_video()
        return steps

    def _heard(self, event) -> bool:
        """Do what a key says; whether to go on."""
        if event.type == pygame.QUIT:
            return False
        if event.type != pygame.KEYDOWN:
            return True
        game = self.game
        game.says = ""
        if event.key == pygame.K_ESCAPE:
            return False
        if event.key == pygame.K_r:
            game.begin()
            self._hands.rest()
        elif event.key == pygame.K_n:
            game.next_track()
            self._hands.rest()
        elif event.key == pygame.K_p:
            self._paused = not self._paused
        elif event.key == pygame.K_a:
            game.change_driver()
        elif event.key in (pygame.K_PLUS, pygame.K_EQUALS, pygame.K_KP_PLUS):
            game.warm(WARMER)
        elif event.key in (pygame.K_MINUS, pygame.K_KP_MINUS):
            game.warm(1 / WARMER)
        elif event.key == pygame.K_v:
            self._end_video() if self._video_frames is not None else self._begin_video()
        return True

    # Videos

    def _begin_video(self) -> None:
        self._video_frames = []

    def _end_video(self) -> None:
        if self._video_frames:
            names = (self._videos / f"play_{number}.gif" for number in itertools.count(1))
            path = next(path for path in names if not path.exists())
            save_video(path, self._video_frames, video.SHOWN)
            self.game.says = f"{path} is written"
            print(f"{path}: a video of {len(self._video_frames) * video.EVERY / FPS:.0f} seconds.")
        self._video_frames = None

    def _picture(self) -> np.ndarray:
        """What the window shows, half as large: (H, W, 3) uint8."""
        shown = pygame.surfarray.array3d(self._screen).swapaxes(0, 1)
        size = shown.shape[1] // 2, shown.shape[0] // 2
        return cv2.resize(shown, size, interpolation=cv2.INTER_AREA)

    # Pictures

    def _draw(self) -> None:
        self._screen.fill(BLACK)
        first = self.game.sides[0]
        if first.name == "world":
            self._show(first.env.render(), (0, 0), LARGE)
            self._show(first.frame, (LARGE[0], 0), SMALL, "what the agent sees")
            for side in self.game.sides[1:]:
                self._show(
                    side.frame, (LARGE[0], SMALL[1]), SMALL, f"M's dream: {side.score:.0f} points"
                )
        else:
            self._show(first.frame, (0, 0), (SIDE, SIDE), "M's dream")
        self._draw_instruments(first)
        pygame.display.flip()

    def _show(self, picture, place: tuple[int, int], size: tuple[int, int], name: str = "") -> None:
        surface = pygame.surfarray.make_surface(np.asarray(picture).swapaxes(0, 1))
        self._screen.blit(pygame.transform.smoothscale(surface, size), place)
        if name:
            # On black, which is legible whatever the picture shows.
            drawn = self._font.render(f" {name} ", True, WHITE, BLACK)
            self._screen.blit(drawn, (place[0] + 8, place[1] + 8))

    def _draw_instruments(self, side: Side) -> None:
        top = LARGE[1] + 8
        steering, gas, brake = map(float, self.game.action)
        driver = "the agent drives" if self.game.by_agent else "you drive"
        state = "paused" if self._paused else "over: R again, N next track" if side.over else driver
        kept = "   kept for training" if side.record_to is not None else ""
        recorded = "   video is recorded" if self._video_frames is not None else ""
        facts = f"{side.score:.0f} points   {side.steps / FPS:.1f} s"
        if "tiles" in side.info:
            info = side.info
            facts += f"   {info['tiles_visited']} of {info['tiles']} tiles ({info['lap']:.0%})"
            facts += f"   track {self.game.track}"
            if info.get("lap_finished"):
                facts += f"   a lap in {side.steps / FPS:.2f} s"
        self._write(f"{facts}   {state}{kept}{recorded}", (8, top))
        self._bar("gas", gas, GREEN, (8, top + 24))
        self._bar("brake", brake, RED, (168, top + 24))
        self._bar("steering", steering, BLUE, (328, top + 24), both=True)
        if "speed" in side.info:
            speed = side.info["speed"]
            self._bar(f"speed {speed:.0f}", speed / FASTEST, WHITE, (518, top + 24))
            if side.info["wheels_on_grass"]:
                on_grass = f"{side.info['wheels_on_grass']} wheels on grass"
                self._write(on_grass, (690, top + 24), GREEN)
        self._write(self.game.says or DRIVING, (8, top + 46), WHITE if self.game.says else GREY)
        warmth = self.game.temperature
        dreaming = "" if warmth is None else TEMPERATURE.format(warmth)
        self._write(dreaming + LEAVING, (8, top + 66), GREY)

    def _bar(self, name: str, value: float, colour, place: tuple[int, int], both=False) -> None:
        """A bar of 80 pixels under a name: from its left end, or from its middle to both sides."""
        self._write(name, place)
        left, width = place[0] + self._font.size(name)[0] + 6, 80
        pygame.draw.rect(self._screen, DARK, (left, place[1], width, 14))
        zero, whole = (left + width // 2, width // 2) if both else (left, width)
        length = round(whole * min(max(value, -1.0), 1.0))
        pygame.draw.rect(
            self._screen, colour, (min(zero, zero + length), place[1], abs(length), 14)
        )

    def _write(self, words: str, place: tuple[int, int], colour=WHITE) -> None:
        for shift, ink in ((1, BLACK), (0, colour)):
            drawn = self._font.render(words, True, ink)
            self._screen.blit(drawn, (place[0] + shift, place[1] + shift))


def play(game: Game, videos: Path) -> int:
    """Open a window and drive until it is closed; returns the steps driven.

    videos: the directory of what is recorded on a key.
    """
    if os.environ.get("SDL_VIDEODRIVER") == "dummy":
        raise BadInput("There is no screen to open a window on; set DISPLAY or play elsewhere.")
    try:
        pygame.display.init()
        pygame.font.init()
        window = Window(game, videos)
    except pygame.error as problem:
        raise BadInput(
            f"No window can be opened ({problem}); play where there is a screen."
        ) from None
    try:
        return window.drive()
    finally:
        pygame.quit()
