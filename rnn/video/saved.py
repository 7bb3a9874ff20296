"""A trained CVAE in a model directory: saved, and loaded."""

from rnn.video import arch_cvae
from rnn.video.arch_cvae import Networks
from runs.directory import ModelDirectory
from runs.weights import buildable, load_weights, refuse_larger, save_weights

PART = "cvae"


def build(facts: dict) -> Networks:
    """The untrained networks that `facts` describe."""
    return Networks(facts["condition"], facts["width"], facts["past"], facts["prior"])


def load(directory: ModelDirectory) -> Networks:
    """The CVAE of a model directory. Raises `BadInput` when it is missing or does not fit."""
    facts = directory.facts(PART)
    with buildable(facts):
        refuse_larger(directory.weights(PART), arch_cvae.size(facts["width"], facts["condition"]))
        networks = build(facts)
    load_weights(networks, directory.weights(PART))
    return networks


def restore(directory: ModelDirectory, networks: Networks) -> None:
    """Give networks the weights of the model directory's CVAE."""
    directory.facts(PART)
    load_weights(networks, directory.weights(PART))


def save(directory: ModelDirectory, networks: Networks, facts: dict) -> None:
    """Write the weights of a CVAE and what it is."""
    directory.put(PART, lambda temporary: save_weights(networks, temporary), facts)
