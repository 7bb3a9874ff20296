"""Print docs/settings.md: python -m settings > docs/settings.md"""

from runs import config
from settings import STEPS

HEAD = """# Settings

What each script can be told, as a flag (`--batch-size 50`) or in a recipe (`batch_size = 50`). A
value that is not allowed is refused in one sentence. Made by `python -m settings`.
"""


def main() -> None:
    print(HEAD)
    print(
        "\n".join(f"## {script}\n\n{config.table(kind)}" for script, kind in STEPS.items()), end=""
    )


if __name__ == "__main__":
    main()
