"""Drive with the arrow keys: the real world, M's dream of it, or both side by side.

Left and right steer, up is gas, down brakes; R starts over, Esc leaves. In the dream, what you
see is V's decoder at work on what M predicts.
"""

from runs import config
from settings import MAKERS
from settings.driving import Play

if __name__ == "__main__":
    given = config.parse(Play, __doc__)  # before the imports below

from controller.play import Game, play
from runs import arguments, directory


def main(settings: Play) -> None:
    model_directory = directory.DataDirectory(settings.data_dir).model(settings.vision)
    game = Game(model_directory, settings.world, settings.temperature, settings.track)
    try:
        steps = play(game)
    finally:
        game.close()
    print(f"{steps} steps driven; at the end {game.words()}.")


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
