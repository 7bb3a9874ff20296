"""A trained V in a model directory: saved, and loaded whichever architecture it has."""

import dataclasses

from runs.arguments import BadInput
from runs.directory import ModelDirectory
from runs.weights import buildable, load_weights, refuse_larger, save_weights
from settings import adversary
from settings.vision import DEPTH
from vae import arch, arch_vaegan

import keras


@dataclasses.dataclass(frozen=True)
class Vision:
    """A trained V.

    encoder: frames (B, 64, 64, 3) uint8 → mean, log-variance (B, L) float32.
    decoder: z (B, L) float32 → frames (B, 64, 64, 3) float32 in [0, 1].
    """

    encoder: keras.Model
    decoder: keras.Model
    digest: str

    @property
    def latent(self) -> int:
        return self.encoder.output[0].shape[-1]


def build(facts: dict, dtype: str = "float32") -> tuple[keras.Model, keras.Model]:
    """The untrained encoder and decoder of the architecture that `facts` name."""
    if facts["architecture"] == "vae":
        depth = facts.get("depth", DEPTH)
        return arch.encoder(facts["latent"], depth, dtype), arch.decoder(facts["latent"], depth)
    if facts["architecture"] == "vaegan":
        recipe = adversary.recipe_of(facts)
        return (
            arch_vaegan.encoder(facts["latent"], facts["depth"], recipe, dtype),
            arch_vaegan.generator(facts["latent"], facts["depth"], recipe),
        )
    raise BadInput(f"model.json names the unknown architecture {facts['architecture']!r}.")


def least_size(facts: dict) -> int:
    """A number of weights that no encoder of this latent size and depth is below."""
    depth = facts.get("depth", DEPTH)
    return 500 * depth**2 + 2 * 32 * depth * facts["latent"]


def name(facts: dict) -> str:
    """What a V is called in a table: its architecture, with settings that are not the usual."""
    if facts["architecture"] == "vae":
        depth = facts.get("depth", DEPTH)
        return "VAE" if depth == DEPTH else f"VAE {depth}"
    if facts["architecture"] == "vaegan":
        return adversary.name(facts)
    return str(facts["architecture"])


def load(directory: ModelDirectory, dtype: str = "float32") -> Vision:
    """The V of a model directory. Raises `BadInput` when it is missing or does not fit."""
    facts = directory.facts("vision")
    with buildable(facts):
        refuse_larger(directory.weights("vision"), least_size(facts))
        encoder, decoder = build(facts, dtype)
    restore(directory, encoder, decoder)
    return Vision(encoder, decoder, facts["digest"])


def restore(directory: ModelDirectory, encoder, decoder) -> None:
    """Give an encoder and a decoder the weights of the model directory's V."""
    directory.facts("vision")
    load_weights(arch.autoencoder(encoder, decoder), directory.weights("vision"))


def save(directory: ModelDirectory, encoder, decoder, facts: dict) -> None:
    """Write V's weights and what they are (`architecture`, `latent`, how it was trained)."""
    model = arch.autoencoder(encoder, decoder)
    directory.put("vision", lambda temporary: save_weights(model, temporary), facts)
