"""The settings of 02_train_vae_gan.py: the recipe of a VAE-GAN, ingredient by ingredient."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from runs.aliases import ONCE_FIXED_IN_A_VAEGAN
from runs.arguments import BadInput
from runs.config import override, setting, words
from settings.shared import Learning
from settings.vision import LATENT, KLDivergence, TrainVision


def _ingredient(repaired: Any, help: str, published: Any = None, **meaning: Any) -> Any:
    """A setting of the recipe; where the variant `published` has another value, with that."""
    group = "the recipe, ingredient by ingredient"
    return _with_published(setting(repaired, help, group=group, **meaning), published)


def _with_published(field: Any, published: Any) -> Any:
    if published is None:
        return field
    shown = f"published: {words(published)}"
    meaning = dataclasses.replace(field.metadata["meaning"], words=shown)
    metadata = {"meaning": meaning, "published": published}
    return dataclasses.field(default=field.default, metadata=metadata)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe(KLDivergence, Learning):
    """The networks, the weights of the losses and how fast each network learns.

    The defaults are those of the variant `repaired`; `RECIPES` has both.
    """

    layers: str = _ingredient(
        "vae", "sizes of E and G", published="published", choices=("published", "vae")
    )
    heads: str = _ingredient(
        "linear",
        "E's outputs: through tanh, or free",
        published="tanh",
        choices=("tanh", "linear"),
    )
    discriminator: str = _ingredient(
        "living", "D's layers", published="published", choices=("published", "living")
    )
    adversary: str = _ingredient(
        "hinge",
        "loss of D, and of G against it; wgan-gp brings its own critic's numbers",
        published="saturating",
        choices=("saturating", "bce", "hinge", "wgan-gp"),
    )
    pixels: float = _ingredient(
        1.0,
        "weight of the sum of squared pixel errors of a frame",
        published=0.0,
        least=0,
        most=1_000_000,
    )
    features: float = _ingredient(
        20.0,
        "weight of the distance between D's inner layers",
        published=1.0,
        least=0,
        most=1_000_000,
    )
    relative: bool = _ingredient(
        True, "divide that distance, layer by layer, by the layer's energy", published=False
    )
    kl_weight: float = _with_published(
        override(KLDivergence, "kl_weight", default=1.0),
        0.01 / LATENT,  # there 0.01, of the mean over the dimensions
    )
    kl_tolerance: float = _with_published(override(KLDivergence, "kl_tolerance", default=0.5), 0.0)
    moments: float = _ingredient(
        0.0,
        "weight of the batch of z not having mean 0 and variance 1",
        published=0.1,
        least=0,
        most=1_000_000,
    )
    deception: float = _ingredient(
        0.2, "weight of deceiving D", published=1.0, least=0, most=1_000_000
    )
    adaptive: bool = _ingredient(
        True,
        "measure that weight in gradients: 1 pulls at frames as hard as the other losses",
        published=False,
    )
    ramp_start: float = _ingredient(
        0.1,
        "share of the training after which deceiving D begins",
        published=0.0,
        least=0,
        most=1,
    )
    ramp_end: float = _ingredient(
        0.4,
        "share of the training from which it has its full weight",
        published=0.0,
        least=0,
        most=1,
    )
    equilibrium: bool = _ingredient(
        True, "let D rest while it wins, and G ignore it while it loses", published=False
    )
    r1: float = _ingredient(
        0.0, "weight of D's squared gradient at recorded frames", least=0, most=1_000_000
    )
    drift: float = _ingredient(
        0.0,
        "weight of D's squared answers to recorded frames: a critic's are bound to no zero",
        least=0,
        most=1_000_000,
    )
    critic_steps: int = _ingredient(1, "steps of D for one of E and G", least=1, most=100)
    learning_rate: float = _with_published(override(Learning, "learning_rate", default=1e-3), 1e-4)
    critic_rate: float = _ingredient(5e-4, "Adam's, of D", published=1e-4, least=0, most=1)
    critic_momentum: float = _ingredient(
        0.5, "Adam's first beta, of D", published=0.9, least=0, most=0.999
    )
    flips: bool = _ingredient(
        False,
        "mirror half of the frames, as the published training did: their bends are then not those "
        "that the actions drove",
    )
    falling: bool = _ingredient(
        True, "let the learning rates fall to a hundredth by a cosine", published=False
    )
    averaging: float = _ingredient(
        0.05,
        "share of the training over which the saved weights are averaged; 0: not averaged",
        published=0.0,
        least=0,
        most=1,
    )


RECIPES = {
    "published": Recipe(
        **{
            field.name: field.metadata["published"]
            for field in dataclasses.fields(Recipe)
            if "published" in field.metadata
        }
    ),
    "repaired": Recipe(),
}
REPAIRED = RECIPES["repaired"]
# Gulrajani et al. 2017. Its critic is meant to win, and its outputs are no log-odds.
WGAN_GP = {
    "critic_steps": 5,
    "critic_rate": 1e-4,
    "critic_momentum": 0.0,
    "equilibrium": False,
}


def recipe(variant: str, **changes: Any) -> Recipe:
    """A variant's recipe with some fields changed; the adversary brings what it needs."""
    adversary = WGAN_GP if changes.get("adversary") == "wgan-gp" else {}
    return dataclasses.replace(RECIPES[variant], **adversary | changes)


def recipe_of(facts: Mapping[str, Any]) -> Recipe:
    """The recipe that `model.json` tells of, or the settings of a training."""
    once = {name: facts.get(name, value) for name, value in ONCE_FIXED_IN_A_VAEGAN.items()}
    names = [field.name for field in dataclasses.fields(Recipe)]
    return Recipe(**{name: once[name] if name in once else facts[name] for name in names})


def name(facts: Mapping[str, Any]) -> str:
    """The variant, its depth, and every ingredient that is not as the variant has it."""
    variant, given = facts["variant"], recipe_of(facts)
    usual = recipe(variant, adversary=given.adversary)
    described = [f"{variant} {facts['depth']}"]
    if given.adversary != RECIPES[variant].adversary:
        described.append(given.adversary)
    for field in dataclasses.fields(Recipe):
        value = getattr(given, field.name)
        if value != getattr(usual, field.name):
            described.append(f"{field.name.replace('_', ' ')} {value}")
    return "VAE-GAN " + ", ".join(described)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainVAEGAN(Recipe, TrainVision):
    """The settings of 02_train_vae_gan.py.

    What is not given of the recipe is as the variant has it, where a command line or a recipe file
    is read; see `usual`.
    """

    variant: str = setting("repaired", "which recipe", choices=tuple(RECIPES))

    @property
    def model_name(self) -> str:
        return "vaegan"

    @classmethod
    def usual(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        variant = given.get("variant", "repaired")
        if variant not in RECIPES:
            return {}
        changes = {"adversary": given["adversary"]} if "adversary" in given else {}
        return vars(recipe(variant, **changes)) | {"adversary": RECIPES[variant].adversary}

    def check(self) -> None:
        super().check()
        if self.batch_size < 2:
            raise BadInput("--batch-size 1 has no variance to learn from; give 2 frames or more.")

    @property
    def recipe(self) -> Recipe:
        return recipe_of(vars(self))
