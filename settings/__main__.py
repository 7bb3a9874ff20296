"""Print docs/settings.md: python -m settings > docs/settings.md"""

from runs import config
from settings import STEPS

HEAD = """# Settings

The settings of each script, as a flag (`--batch-size 50`) or in a recipe (`batch_size = 50`). A
value that is not allowed is refused in one sentence. Made by `python -m settings`.
"""


def table(kind: type[config.Settings]) -> str:
    """The settings as a Markdown table."""
    lines = ["| setting | default | values | meaning |", "|---|---|---|---|"]
    for option in config.options(kind):
        default = "" if option.default is config.REQUIRED or option.switch else option.shown()
        values = option.numbers.span if option.numbers else ", ".join(option.meaning.choices or ())
        lines.append(f"| `{option.flag}` | {default} | {values} | {option.meaning.help} |")
    return "\n".join(lines) + "\n"


def section(script: str, kind: type[config.Settings]) -> str:
    file = kind.__module__.replace(".", "/") + ".py"
    return f"## {script}\n\n`{kind.__name__}` in [`{file}`](../{file})\n\n{table(kind)}"


def main() -> None:
    print(HEAD)
    print("\n".join(section(script, kind) for script, kind in STEPS.items()), end="")


if __name__ == "__main__":
    main()
