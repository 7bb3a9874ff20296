"""The settings of all scripts: one name, one meaning; saved is all that a result depends on."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import settings
from runs import aliases, config
from runs.arguments import BadInput
from settings import STEPS
from settings.adversary import TrainVAEGAN
from settings.driving import (
    DreamEvolution,
    Evaluate,
    FinetuneController,
    TrainController,
    WorldEvolution,
)
from settings.iteration import Iterate
from settings.memory import TrainRNN
from settings.recording import GenerateData
from settings.vision import TrainVAE

import pytest

TOP = Path(settings.__file__).parents[1]
HEAVY = ("tensorflow", "keras", "gymnasium", "cma", "matplotlib", "cv2", "numpy")


def alone(script: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run a script where nothing heavy can be imported, as a user does from another directory."""
    blocked = f"import sys; sys.modules.update(dict.fromkeys({HEAVY}))"
    run = f"import runpy; sys.path.insert(0, {str(TOP)!r}); sys.argv = {[script, *arguments]}"
    start = f"runpy.run_path({str(TOP / script)!r}, run_name='__main__')"
    command = [sys.executable, "-c", "\n".join([blocked, run, start])]
    return subprocess.run(command, cwd="/", capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("script", STEPS)
def test_help_and_wrong_arguments_need_nothing_heavy(script):
    done = alone(script, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"usage: {script}") and "None" not in done.stdout
    with_a_default = [
        option
        for option in config.options(STEPS[script])
        if not option.switch and option.default is not config.REQUIRED
    ]
    assert " ".join(done.stdout.split()).count("(default: ") == len(with_a_default)
    done = alone(script, "--no-such-flag")
    assert done.returncode == 2 and done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith(f"{script}: ") and line.endswith("(see --help)")


def every_option() -> list[config.Option]:
    return [option for kind in STEPS.values() for option in config.options(kind)]


def test_a_name_that_counts_the_same_has_the_same_help_and_bounds_in_every_step():
    # What it says of the default may differ, as that does; a default of its own is all else.
    meanings: dict[tuple, set] = {}
    for option in every_option():
        meaning = dataclasses.replace(option.meaning, words=None)
        meanings.setdefault((option.name, meaning.unit, option.kind), set()).add(meaning)
    assert [name for name, found in meanings.items() if len(found) > 1] == []


def test_no_setting_has_the_earlier_name_of_another():
    """All that is read from a file is renamed, whichever step wrote it."""
    assert not aliases.TODAY.keys() & {option.name for option in every_option()}


def test_names_that_count_different_things_are_known_and_tell_their_units():
    units: dict[str, set] = {}
    for option in every_option():
        units.setdefault(option.name, set()).add(option.meaning.unit)
    assert {name: found for name, found in units.items() if len(found) > 1} == {
        "batch_size": {"frames", "sequences"},
        "epochs": {"epochs", "epochs of steps"},
        "episodes": {"episodes", "episodes a round", "episodes a generation"},
        "kl_weight": {None, "mean squared errors a nat"},
        "steps": {"environment steps", "gradient steps"},
    }


def test_every_number_has_bounds_and_every_default_is_within():
    for option in every_option():
        if option.numbers:
            assert option.meaning.least > -float("inf"), option.name
        if option.default is not config.REQUIRED:
            assert option.complaint(option.default) is None, option.name


WITH_WORKERS = [
    "01_generate_data.py",
    "03_generate_rnn_data.py",
    "05_train_controller.py",
    "06_finetune_controller.py",
    "evaluate.py",
    "iterate.py",
    "run_recipe.py",
]


@pytest.mark.parametrize("script", WITH_WORKERS)
def test_the_time_after_which_a_worker_hangs_reaches_those_who_hire(script):
    kind = STEPS[script]
    needed = ["there" for option in config.options(kind) if option.default is config.REQUIRED]
    given = config.parse(kind, None, [*needed, "--hang-timeout", "7"])
    assert given.place.hang_timeout == 7 and config.parse(kind, None, needed).place != given.place


def test_no_other_step_has_workers():
    having = {
        script
        for script, kind in STEPS.items()
        if "hang_timeout" in {option.name for option in config.options(kind)}
    }
    assert having == set(WITH_WORKERS)


def saved(kind: type[config.Settings], *line: str) -> dict:
    return config.saved(config.parse(kind, None, ["--precision", "float32", *line]))


def test_what_is_saved_of_a_vae_is_all_that_it_depends_on():
    assert saved(TrainVAE) == {
        "frame_stride": 1,
        "epochs": 10,
        "batch_size": 100,
        "learning_rate": 0.001,
        "latent": 32,
        "depth": 32,
        "kl_weight": 1.0,
        "kl_tolerance": 0.5,
        "precision": "float32",
        "seed": 1,
        "finetune": False,
    }
    changed = saved(TrainVAE, "--epochs", "3", "--finetune", "--seed", "0", "--res", "elsewhere")
    assert (changed["epochs"], changed["finetune"], changed["seed"]) == (3, True, 0)
    assert saved(TrainVAE, "--from-scratch") == saved(TrainVAE)


REPAIRED = {
    "frame_stride": 1,
    "drift": 0.0,
    "flips": False,
    "variant": "repaired",
    "epochs": 10,
    "batch_size": 100,
    "precision": "float32",
    "seed": 1,
    "finetune": False,
    "depth": 32,
    "layers": "vae",
    "heads": "linear",
    "discriminator": "living",
    "adversary": "hinge",
    "pixels": 1.0,
    "features": 20.0,
    "relative": True,
    "kl_weight": 1.0,
    "kl_tolerance": 0.5,
    "moments": 0.0,
    "deception": 0.2,
    "adaptive": True,
    "ramp_start": 0.1,
    "ramp_end": 0.4,
    "equilibrium": True,
    "r1": 0.0,
    "critic_steps": 1,
    "learning_rate": 0.001,
    "critic_rate": 0.0005,
    "critic_momentum": 0.5,
    "falling": True,
    "averaging": 0.05,
}
PUBLISHED = {
    "variant": "published",
    "layers": "published",
    "heads": "tanh",
    "discriminator": "published",
    "adversary": "saturating",
    "pixels": 0.0,
    "features": 1.0,
    "relative": False,
    "kl_weight": 0.01 / 32,
    "kl_tolerance": 0.0,
    "moments": 0.1,
    "deception": 1.0,
    "adaptive": False,
    "ramp_start": 0.0,
    "ramp_end": 0.0,
    "equilibrium": False,
    "learning_rate": 0.0001,
    "critic_rate": 0.0001,
    "critic_momentum": 0.9,
    "falling": False,
    "averaging": 0.0,
}
WGAN_GP = {
    "adversary": "wgan-gp",
    "critic_steps": 5,
    "critic_rate": 0.0001,
    "critic_momentum": 0.0,
    "equilibrium": False,
}


@pytest.mark.parametrize(
    "line, changed",
    [
        ([], {}),
        (["--variant", "published"], PUBLISHED),
        (["--adversary", "wgan-gp"], WGAN_GP),
        (["--variant", "published", "--adversary", "wgan-gp"], PUBLISHED | WGAN_GP),
        (["--variant", "published", "--relative"], PUBLISHED | {"relative": True}),
        (["--no-adaptive", "--depth", "8"], {"adaptive": False, "depth": 8}),
        (["--adversary", "wgan-gp", "--equilibrium"], WGAN_GP | {"equilibrium": True}),
    ],
)
def test_what_is_saved_of_a_vae_gan_is_all_that_it_depends_on(line, changed):
    assert saved(TrainVAEGAN, *line) == REPAIRED | changed
    given = config.parse(TrainVAEGAN, None, line)
    assert config.parse(TrainVAEGAN, None, config.flags(given)) == given
    assert config.from_mapping(TrainVAEGAN, config.saved(given), "a file") == given


def test_what_is_saved_of_an_m_is_all_that_it_depends_on():
    assert config.saved(TrainRNN()) == {
        "steps": 2000,
        "batch_size": 100,
        "sequence": 200,
        "learning_rate": 0.001,
        "units": 256,
        "mixtures": 5,
        "latent_noise": 1.0,
        "reward_weight": 1.0,
        "done_weight": 1.0,
        "seed": 1,
        "finetune": False,
    }


def test_what_is_saved_of_an_evolution_in_dreams_is_all_that_it_depends_on():
    # And beside it: what C is bound to, see the runs of evolution and dream.
    settings = TrainController(dream=True, temperature=0.5, keep="last", patience=7)
    evolution = {
        "population": 64,
        "rollouts": 4,
        "sigma": 0.1,
        "seed": 1,
        "finetune": False,
        "evaluate_every": 10,
        "validation_tracks": 16,
        "hard_tracks": 0,
    }
    dream = {"dream_steps": 1000, "dream_start": "anywhere", "keep": "last", "temperature": 0.5}
    assert config.saved(settings, DreamEvolution) == evolution | dream
    world = {"patience": 7, "precision": settings.precision}
    assert config.saved(settings, WorldEvolution) == evolution | world


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: GenerateData(action_bursts=80), "--action-bursts needs --policy agent"),
        (lambda: GenerateData(patience=100), "--patience needs --policy agent"),
        (lambda: GenerateData(policy="brownian", vision="vaegan"), "--vision needs"),
        (lambda: GenerateData(shared_disk=True), "Without --cluster .* leave out --shared-disk"),
        (lambda: TrainVAEGAN(batch_size=1), "--batch-size 1"),
        (lambda: TrainRNN(finetune=True, steps=0), "--steps 0 cannot"),
        (lambda: TrainController(hard_tracks=32, rollouts=1), "--hard-tracks 32 needs at least 2"),
        (lambda: TrainController(hard_tracks=4, rollouts=4), "--hard-tracks 4 needs"),
        (lambda: TrainController(dream=True, sees="z"), "leave out --sees z"),
        (lambda: TrainController(temperatures=(1.0,), sees="z"), "leave out --sees z"),
        (lambda: TrainController(temperatures=(1.0, 1.0000001)), "same to six digits"),
        (lambda: TrainController(also=(Path("a"),)), "leave out --also or add --dream"),
        (
            lambda: TrainController(dream=True, also=(Path("a"),), hard_tracks=8),
            "leave out --also or --hard-tracks",
        ),
        (lambda: Iterate(retrain_vision=True, memories=2), "--retrain-vision or --memories"),
        (lambda: Iterate(memory_steps=0), "--memory-steps 0"),
        (lambda: FinetuneController(noise=(0.1, 0.0, 0.1)), "0.0 is not a number above 0 to 10"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(make, words):
    with pytest.raises(BadInput, match=words):
        make()


EARLIER = [
    ("--refine", TrainVAE(finetune=True)),
    ("--anew", TrainRNN(from_scratch=True)),
    ("--refine --scout 32", TrainController(finetune=True, hard_tracks=32)),
    (
        "--policy agent --noise-steps 8 --takeovers 80",
        GenerateData(policy="agent", noise_hold=8, action_bursts=80),
    ),
    ("--persistence 0.5 --rate 0.5", FinetuneController(correlation=0.5, step_size=0.5)),
    ("--grass 1 --missed 2", FinetuneController(grass_penalty=1.0, missed_tile_penalty=2.0)),
    ("--discount 0.9 --trace 0.8", FinetuneController(gamma=0.9, gae_lambda=0.8)),
    ("--memory 0.5 --carry there", FinetuneController(decay=0.5, init_from=Path("there"))),
    ("there --drawing fast", Evaluate(models=("there",), rendering="fast")),
]


@pytest.mark.parametrize("line, today", EARLIER)
def test_the_flags_of_earlier_versions_are_today_s(line, today):
    assert config.parse(type(today), None, line.split()) == today


def test_an_agent_s_settings_go_with_an_agent():
    recorded = GenerateData(policy="agent", action_bursts=80, patience=150, vision="vaegan")
    assert config.parse(GenerateData, None, config.flags(recorded)) == recorded


def test_the_documentation_has_every_table():
    done = subprocess.run(
        [sys.executable, "-m", "settings"], cwd=TOP, capture_output=True, text=True, check=True
    )
    written = (TOP / "docs" / "settings.md").read_text()
    assert written == done.stdout, "write it anew: python -m settings > docs/settings.md"
