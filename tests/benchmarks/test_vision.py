"""benchmarks/vision.py: its lists of trainings, its split of the episodes, what it counts."""

import dataclasses

from runs import config
from settings import STEPS, adversary
from vae import arch, arch_vaegan

import pytest


@pytest.fixture
def vision(load):
    return load("benchmarks/vision.py")


def accepted(trial):
    """The settings that a trial's script reads from its arguments."""
    return config.parse(STEPS[trial.script], None, trial.arguments)


def test_every_training_is_one_that_its_script_accepts(vision):
    trials = vision.models(seeds=2)
    named = [(trial.name, accepted(trial).seed) for trial in trials]
    assert named == [
        ("VAE", 1),
        ("VAE-GAN repaired", 1),
        ("VAE", 2),
        ("VAE-GAN repaired", 2),
        ("VAE-GAN published, rate 1e-3", 1),
        ("VAE-GAN repaired, WGAN-GP", 1),
    ]
    assert len({trial.folder for trial in trials}) == len(trials)
    assert accepted(trials[1]).recipe == adversary.REPAIRED
    faster = dataclasses.replace(
        adversary.RECIPES["published"], learning_rate=1e-3, critic_rate=1e-3
    )
    assert accepted(trials[4]).recipe == faster


def test_remedies_go_from_published_to_repaired_each_changing_something(vision):
    steps = [accepted(trial) for trial in vision.remedies()]
    recipes = [options.recipe for options in steps]
    assert recipes[0] == adversary.RECIPES["published"] and steps[0].depth == 8
    assert recipes[-1] == adversary.REPAIRED and steps[-1].depth == 32
    assert len(set(recipes)) == len(recipes) == len(vision.REMEDIES)


def test_every_third_episode_is_measured_on_and_never_learned_from(vision, record, tmp_path):
    recorded = record(tmp_path / "recorded", [3] * 9)
    learned, unseen = vision.share(tmp_path / "recorded", tmp_path / "place", None)
    names = [path.name for path in recorded]
    assert sorted(path.name for path in unseen.iterdir()) == names[2::3]
    assert sorted(path.name for path in learned.iterdir()) == sorted({*names} - {*names[2::3]})
    # Shared again, fewer: the links are made anew, what was recorded stays.
    vision.share(tmp_path / "recorded", tmp_path / "place", 2)
    assert sorted(path.name for path in unseen.iterdir()) == names[2::3]
    assert sorted(path.name for path in learned.iterdir()) == [names[0], names[7]]
    assert all(path.stat().st_size > 0 for path in recorded)


def test_multiply_adds_are_what_counting_by_hand_gives(vision):
    count = vision.common.multiply_adds
    convolutions = 48 * 32 * 31**2 + 512 * 64 * 14**2 + 1024 * 128 * 6**2 + 2048 * 256 * 2**2
    assert count(arch.encoder()) == convolutions + 2 * 1024 * 32
    assert count(arch.decoder()) == (
        32 * 1024 + 25 * 1024 * 128 + 25 * 128 * 64 * 5**2 + 36 * 64 * 32 * 13**2 + 96 * 36 * 30**2
    )


def test_published_layers_at_depth_8_cost_about_what_the_vae_s_do(vision):
    count = vision.common.multiply_adds
    published = adversary.RECIPES["published"]
    both = count(arch.encoder()) + count(arch.decoder())
    networks = arch_vaegan.encoder(32, 8, published), arch_vaegan.generator(32, 8, published)
    assert 0.5 < sum(map(count, networks)) / both < 2


def test_a_script_s_cost_is_told_and_its_refusal_passed_on(vision):
    cost = vision.common.run_script(["01_generate_data.py", "--help"])
    assert cost["cpu_s"] > 0 and cost["mib"] > 10
    with pytest.raises(SystemExit) as ending:
        vision.common.run_script(["01_generate_data.py", "--steps", "0"])
    assert ending.value.code == 2
