"""The settings of the scripts that make C and score it: 05_train_controller.py,
06_finetune_controller.py and evaluate.py."""

import dataclasses
import functools
from pathlib import Path

from runs.aliases import earlier
from runs.arguments import BadInput
from runs.config import Settings, override, setting
from settings.memory import Dreaming
from settings.recording import MAX_STEPS, Patience
from settings.shared import Again, DataDir, Models, Precision, Res, Seed, VisionChoice, WorkerCount

SEES = {"zh": "rnn", "z": "vision"}  # what C acts on → the part that makes the last of it
PLACES = ("first", "anywhere")  # where dreams start in recorded episodes
FIRST_EVALUATION_TRACK = 2_000_000_000  # tracks from here on are never trained on
MOST_EVALUATION_TRACKS = 100_000

_dream = functools.partial(setting, group="in the dream")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Generations(Settings):
    generations: int = setting(
        100, "generations of a run, in all", least=1, most=100_000, saved=False
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ValidationTracks(Settings):
    validation_tracks: int = setting(
        16, "tracks on which C is scored on its way, CMA-ES's mean", least=1, most=1000
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Validation(ValidationTracks, Seed):
    """How a run is scored on its way, so that the best C is kept."""

    evaluate_every: int = setting(
        10,
        "generations between such scores; the C that did best is kept",
        least=1,
        most=100_000,
        unit="generations",
        metavar="N",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Driving(WorkerCount):
    """How many drive at once."""

    worlds: int = setting(
        36,  # a whole number of what an agent computes together
        "worlds each process steps together",
        least=1,
        most=1024,
        saved=False,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class FromAgent(Settings):
    from_agent: Path | None = setting(
        None,
        "directory of a trained agent to go on from; it is copied to DIR/models/VISION, which may "
        "hold no other V and M",
        words="the agent that is there",
        metavar="MODEL_DIR",
        saved=False,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunSettings(
    FromAgent, Validation, Patience, Precision, Driving, Generations, VisionChoice, Res, DataDir
):
    """The settings of every run that brings a C forward, generation by generation."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Population(Settings):
    population: int = setting(64, "candidates in a generation", least=4, most=10_000)
    rollouts: int = setting(
        4,
        "tracks, or dreams, that each candidate drives, the same for all of a generation",
        least=1,
        most=1000,
    )
    sigma: float = setting(
        0.1,
        "step size of the first generation, and the largest: free to grow, it mostly does, and the "
        "candidates drive worse",
        least=0,
        most=10,
        above=True,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class AnyEvolution(Population, Again, Validation):
    """What an evolution of C is, wherever its candidates drive."""

    hard_tracks: int = setting(
        0,
        "hard-track sampling: new tracks that the distribution's mean drives before each "
        "generation; half of the rollouts are then on those on which it did worst; 0: none",
        least=0,
        most=10_000,
        aliases=earlier("hard_tracks"),
    )
    sees: str = setting(
        "zh", "what C acts on: z and h, or z alone", choices=tuple(SEES), saved=False
    )
    full: bool = setting(
        False,
        "full covariance matrix instead of its diagonal: slower, learns less at first",
        saved=False,
    )

    def check(self) -> None:
        super().check()
        if self.hard_tracks and not 2 <= self.rollouts < self.hard_tracks:
            raise BadInput(
                f"--hard-tracks {self.hard_tracks} needs at least 2 --rollouts, and fewer than "
                "its tracks."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorldEvolution(AnyEvolution, Patience, Precision):
    """What an evolution in the world is: all that is saved with its result."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DreamSteps(Dreaming):
    dream_steps: int = _dream(
        MAX_STEPS,
        "most steps of each dream; it ends earlier when its tiles gave the points of a lap",
        least=1,
        most=100_000,
        unit="environment steps",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class DreamEvolution(DreamSteps, AnyEvolution):
    """What an evolution in dreams is: all that is saved with its result."""

    dream_start: str = _dream(
        "anywhere",
        "dreams start where recorded episodes did, or at any of their moments; a quarter then "
        "still start where episodes did",
        choices=PLACES,
    )
    keep: str = _dream(
        "best",
        "C is the mean that did best in the world so far, or the last one that was scored",
        choices=("best", "last"),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainController(DreamEvolution, WorldEvolution, RunSettings):
    """The settings of 05_train_controller.py."""

    dream: bool = _dream(False, "evolve in M's dream")
    temperatures: tuple[float, ...] = _dream(
        (),
        "dream at each of these: an agent for each, and their table",
        words="the temperature alone",
        least=0,
        most=100,
        above=True,
    )
    also: tuple[Path, ...] = _dream(
        (),
        "directories of earlier stages of this M: dreams are shared out equally among all these "
        "M's, so that C cannot gain by an error of one",
        words="none",
        metavar="MODEL_DIR",
    )

    def check(self) -> None:
        super().check()
        if self.in_dreams and self.sees == "z":
            raise BadInput("A dream is M's, and its C sees M too; leave out --sees z.")
        if self.from_agent and self.in_dreams:
            raise BadInput(
                "A driver of dreams begins at zero, beside the agent; leave out --from-agent."
            )
        if self.also and not self.in_dreams:
            raise BadInput("Only dreams have several M's; leave out --also or add --dream.")
        if self.also and self.hard_tracks:
            raise BadInput(
                "Hard tracks are chosen in one M's dreams; leave out --also or --hard-tracks."
            )
        # A model directory is named by what a person would write.
        if len({f"{one:g}" for one in self.temperatures}) < len(self.temperatures):
            raise BadInput("Two --temperatures are the same to six digits; leave one out.")

    @property
    def in_dreams(self) -> bool:
        return self.dream or bool(self.temperatures)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PolicyGradient(Settings):
    """The settings of the natural policy gradient; see `controller.policy_gradient`."""

    noise: tuple[float, float, float] = setting(
        (0.12, 0.25, 0.05),
        "SD of what is added to C's raw steering, gas and brake, before they are squashed",
        least=0,
        most=10,
        above=True,
        metavar=("STEERING", "GAS", "BRAKE"),
    )
    correlation: float = setting(
        0.9,
        "of that noise with itself one step before: AR(1) noise",
        least=0,
        most=0.999,
        aliases=earlier("correlation"),
    )
    step_size: float = setting(
        0.8,
        "how far a step goes, in natural gradients of standardised advantages",
        least=0,
        most=100,
        above=True,
        aliases=earlier("step_size"),
    )
    grass_penalty: float = setting(
        4.0,
        "taken from the reward for each of the four wheels in the grass in each environment step",
        least=0,
        most=1000,
        unit="points",
        aliases=earlier("grass_penalty"),
    )
    missed_tile_penalty: float = setting(
        5.0,
        "taken from the reward for each tile left behind, which keeps the lap from ending",
        least=0,
        most=1000,
        unit="points",
        aliases=earlier("missed_tile_penalty"),
    )
    gamma: float = setting(
        0.99,
        "discount factor: weight of the next environment step against this one",
        least=0,
        most=1,
        aliases=earlier("gamma"),
    )
    gae_lambda: float = setting(
        0.985,
        "lambda of the generalised advantage: 1 trusts what happened, 0 the critic",
        least=0,
        most=1,
        aliases=earlier("gae_lambda"),
    )
    decay: float = setting(
        0.9,
        "of the running averages: weight of all earlier generations in gradient, Fisher matrix and "
        "critic",
        least=0,
        most=0.999,
        aliases=earlier("decay"),
    )
    damping: float = setting(
        0.03,
        "added to the Fisher matrix, in mean eigenvalues: more forgets what hardly varies",
        least=0,
        most=1000,
        above=True,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class FinetuneController(PolicyGradient, RunSettings):
    """The settings of 06_finetune_controller.py."""

    generations: int = override(Generations, "generations", default=40)
    episodes: int = setting(
        128,
        "that C drives for each update of the policy",
        least=1,
        most=1000,
        unit="episodes a generation",
    )
    release_brake: bool = setting(
        False,
        "begin with a brake that presses where the gas ends, in place of the one C has: evolution "
        "often holds it so far below its threshold that no noise ever presses it",
    )
    init_from: Path | None = setting(
        None,
        "begin at the C of this model directory, which has another M, or V and M: what it does in "
        "the recorded episodes, fitted to what V and M here make of them. Needed where they "
        "learned further or from scratch: copy the directory before that, and leave the copy as "
        "it is",
        words="begin at the C that is there",
        metavar="MODELS",
        saved=False,
        aliases=earlier("init_from"),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluate(Models, WorkerCount, Res):
    """The settings of evaluate.py."""

    tracks: int = setting(100, "how many evaluation tracks", least=1)
    rendering: str = setting(
        "stock",
        "stock: CarRacing-v3 itself, for scores that count; fast: as in training, to see that it "
        "makes no difference",
        choices=("stock", "fast"),
        aliases=earlier("rendering"),
    )
    first_track: int = setting(
        FIRST_EVALUATION_TRACK,
        "seed of the first track: scores that are published begin with the default",
        least=FIRST_EVALUATION_TRACK,
        most=FIRST_EVALUATION_TRACK + MOST_EVALUATION_TRACKS - 1,
        metavar="SEED",
    )
    scores_only: bool = setting(False, "no videos, which take a while each")
