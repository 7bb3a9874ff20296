"""Drive with the arrow keys or a gamepad: the real world, M's dream of it, or both side by side.

Left and right steer, up is gas, down brakes. A lets the agent drive, and any arrow takes the wheel
back; P pauses, R starts over, N takes the next track, + and - make the dream more or less random,
V begins and ends a video (RES/play_1.gif), Esc leaves. In the dream, what you see is V's decoder at
work on what M predicts.

    python play.py                       # the agent of data/models/vae
    python play.py res/published/vae     # any trained agent
"""

from runs import config
from settings import MAKERS
from settings.playing import Play

if __name__ == "__main__":
    given = config.parse(Play, __doc__)  # before the imports below

from controller.play import Game
from controller.window import play
from runs import arguments, directory


def main(settings: Play) -> None:
    data = directory.DataDirectory(settings.data_dir)
    model_directory = data.model(settings.vision)
    if settings.model is not None:
        model_directory = directory.ModelDirectory(settings.model)
    record_to = data.rollout if settings.record else None
    game = Game(model_directory, settings.world, settings.temperature, settings.track, record_to)
    try:
        steps = play(game, settings.res)
    finally:
        game.close()
    print(f"{steps} steps driven; at the end {game.words()}.")
    if record_to is not None:
        kept = sum(len(side.kept) for side in game.sides)
        print(f"{record_to}: the longest drive on each of {kept} tracks is kept.")


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
