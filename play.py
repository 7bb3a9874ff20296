"""Drive with the arrow keys: the real world, M's dream of it, or both side by side.

Left and right steer, up is gas, down brakes; R starts over, Esc leaves. In the dream, what you
see is V's decoder at work on what M believes comes next.
"""

from controller.play import WORLDS, Game, play
from runs import arguments, directory


def main() -> None:
    options = parse()
    model_directory = directory.DataDirectory(options.data_dir).model(options.vision)
    game = Game(model_directory, options.world, options.temperature, options.track)
    try:
        steps = play(game)
    finally:
        game.close()
    print(f"{steps} steps driven; at the end {game.words()}.")


def parse():
    parser = arguments.parser(__doc__)
    arguments.add_data_dir(parser)
    arguments.add_vision(parser)
    whole, number = arguments.whole, arguments.number
    parser.add_argument("--world", choices=WORLDS, default="both", help="what to drive in")
    parser.add_argument(
        "--temperature",
        type=number(0, 100, above=True),
        default=1.0,
        help="how much chance the dream has",
    )
    parser.add_argument("--track", type=whole(0, 2**31 - 1), default=1, help="seed of the track")
    return parser.parse_args()


if __name__ == "__main__":
    arguments.run(main)
