"""A trained M in a model directory: saved, and loaded."""

import dataclasses

from rnn import arch
from runs.arguments import BadInput
from runs.directory import ModelDirectory
from runs.weights import buildable, load_weights, refuse_larger, save_weights

import keras


@dataclasses.dataclass(frozen=True)
class Memory:
    """A trained M. `network` is described in `rnn.arch.network`."""

    network: keras.Model
    latent: int
    units: int
    heads: tuple[str, ...]
    digest: str


def build(facts: dict) -> keras.Model:
    """The untrained network that `facts` describe."""
    return arch.network(facts["latent"], facts["units"], facts["mixtures"], tuple(facts["heads"]))


def load(directory: ModelDirectory) -> Memory:
    """The M of a model directory.

    Raises `BadInput` when it is missing, does not fit or was trained on another V's latents.
    """
    facts = directory.facts("rnn")
    if facts["vision"] != directory.facts("vision")["digest"]:
        raise BadInput(
            f"M in {directory.path} was trained on the latents of another V.",
            make=("latents", "rnn"),
        )
    with buildable(facts):
        numbers = arch.size(facts["latent"], facts["units"], facts["mixtures"])
        refuse_larger(directory.weights("rnn"), numbers)
        network = build(facts)
    load_weights(network, directory.weights("rnn"))
    return Memory(network, facts["latent"], facts["units"], tuple(facts["heads"]), facts["digest"])


def restore(directory: ModelDirectory, network: keras.Model) -> None:
    """Give a network the weights of the model directory's M."""
    directory.facts("rnn")
    load_weights(network, directory.weights("rnn"))


def lineage(directory: ModelDirectory, settings: dict) -> list[str]:
    """The digests of the M's that fine-tuning with these settings goes on from, the last one last.

    Without a look at the weights: a fine-tuning that was killed may have written its own already.
    """
    facts = directory.described("rnn")
    if all(facts.get(name) == value for name, value in settings.items()):
        return facts["finetuned_from"]
    return [*facts.get("finetuned_from", []), facts["digest"]]


def save(directory: ModelDirectory, network: keras.Model, facts: dict) -> None:
    """Write M's weights and what they are."""
    directory.put("rnn", lambda temporary: save_weights(network, temporary), facts)
