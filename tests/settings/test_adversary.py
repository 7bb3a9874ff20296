"""Recipes of the VAE-GAN: what they bring and how they are written down."""

import dataclasses

from settings import adversary


def test_a_recipe_survives_model_json():
    recipe = adversary.recipe("published", heads="linear", r1=2.0)
    facts = dataclasses.asdict(recipe) | {"latent": 32, "depth": 8, "variant": "published"}
    assert adversary.recipe_of(facts) == recipe
    assert adversary.name(facts) == "VAE-GAN published 8, heads linear, r1 2.0"


def test_a_recipe_of_before_a_setting_has_what_was_always_done_then():
    facts = dataclasses.asdict(adversary.REPAIRED)
    del facts["flips"], facts["drift"]
    assert adversary.recipe_of(facts) == adversary.REPAIRED


def test_wgan_gp_brings_its_own_critic_s_numbers():
    recipe = adversary.recipe("repaired", adversary="wgan-gp", critic_rate=3e-4)
    assert (recipe.critic_steps, recipe.critic_momentum, recipe.critic_rate) == (5, 0.0, 3e-4)
    assert not recipe.equilibrium
