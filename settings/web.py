"""The settings of export_web.py."""

import dataclasses
from pathlib import Path

from runs.arguments import BadInput
from runs.config import REQUIRED, Settings, override, setting
from settings.memory import EvaluateDream
from settings.playing import Play


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportWeb(Settings):
    """The settings of export_web.py."""

    models: tuple[Path, ...] = override(EvaluateDream, "models", default=REQUIRED)
    out: Path = setting(
        Path("web/public/models"),
        "directory of the exported agents, each in a folder of its name",
        metavar="DIR",
        folder=True,
        saved=False,
    )
    track: int = override(Play, "track", default=1)
    recorded_episodes: int = setting(
        6,
        "that the first agent drives in the world, on this track and the ones after it",
        least=1,
        most=20,
        unit="episodes",
    )
    recorded_steps: int = setting(
        300,
        "of each of them: M sees 60 before it dreams",
        least=61,
        most=1000,
        unit="environment steps",
    )

    def check(self) -> None:
        super().check()
        names = [path.resolve().name for path in self.models]
        if len(set(names)) < len(names):
            raise BadInput(f"Two agents have one name ({', '.join(names)}); rename one.")
        if "episodes" in names:
            raise BadInput("The episodes' folder is called so already; rename the agent episodes.")
