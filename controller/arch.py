"""C: the linear policy of World Models (Ha & Schmidhuber 2018, A.3), a = W [z h] + b.

With z of 32 and h of 256 numbers it has 288 · 3 + 3 = 867 parameters; a C that sees z alone, as
in the paper's first row of results, has 99. As one vector they lie as in a Keras Dense(3): the
kernel (F, 3) row by row, then the bias (3,).
"""

from runs.arguments import BadInput
from runs.directory import ModelDirectory
from runs.weights import load_weights, save_weights
from settings.driving import SEES

import keras
import numpy as np
import tensorflow as tf

ACTIONS = 3
NO_GAS = -1.9  # before squashing: 2 % of the gas
BRAKE_PER_GAS = 0.1  # a tenth of the brake already brings the car down by half in a second


def policy(features: int) -> keras.Model:
    """The Dense(3) layer as a model: features (B, F) → actions before squashing (B, 3)."""
    inputs = keras.Input((features,), name="z_and_h")
    return keras.Model(inputs, keras.layers.Dense(ACTIONS, name="action")(inputs), name="policy")


def size(features: int) -> int:
    """The number of parameters of a policy."""
    return features * ACTIONS + ACTIONS


def act(features: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """Actions of B policies, each on its own features: (B, F), (B, F, 3), (B, 3) → (B, 3)."""
    return squash(tf.einsum("bf,bfa->ba", features, kernel) + bias)


def squash(raw: tf.Tensor) -> tf.Tensor:
    """Any three numbers → steering in [-1, 1], gas and brake in [0, 1], as in the paper's code.

    Gas is (tanh + 1) / 2 and the brake max(tanh, 0), so that zero weights mean half gas and no
    brake.
    """
    steering, gas, brake = tf.unstack(tf.tanh(raw), axis=-1)
    return tf.stack([steering, (gas + 1) / 2, tf.maximum(brake, 0)], axis=-1)


def unpack(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parameter vectors (B, P) → kernels (B, F, 3) and biases (B, 3), float32."""
    parameters = np.asarray(parameters, np.float32)
    kernel, bias = parameters[:, :-ACTIONS], parameters[:, -ACTIONS:]
    return kernel.reshape(len(parameters), kernel.shape[1] // ACTIONS, ACTIONS), bias


def release_brake(parameters: np.ndarray) -> np.ndarray:
    """The same policy (P,) but for its brake, which begins to press where the gas ends.

    Where the brake's number is far below 0, `squash` makes 0 of it whatever is added, so that
    nothing tells what braking would bring. It gets the gas's weights, turned and small.
    """
    layer = np.array(parameters, np.float64).reshape(-1, ACTIONS)
    gas = layer[:, 1].copy()
    gas[-1] -= NO_GAS
    layer[:, 2] = -BRAKE_PER_GAS * gas
    return layer.ravel()


def save(directory: ModelDirectory, parameters: np.ndarray, facts: dict) -> None:
    """Write C's weights and what they are."""
    features = (len(parameters) - ACTIONS) // ACTIONS
    model = policy(features)
    kernel, bias = unpack(parameters[None])
    model.get_layer("action").set_weights([kernel[0], bias[0]])
    facts = {"features": features, **facts}
    directory.put("controller", lambda temporary: save_weights(model, temporary), facts)


def evolved_on(directory: ModelDirectory, sees: str) -> dict:
    """What a C that sees this is bound to: `sees`, and the digest of the M (or V) it acts on."""
    return {"sees": sees, SEES[sees]: directory.facts(SEES[sees])["digest"]}


def policy_inputs(directory: ModelDirectory) -> str:
    """What the C of a model directory sees; "zh" if there is none yet."""
    if not directory.has("controller"):
        return "zh"
    # Files from before there was a choice do not say it.
    sees = directory.facts("controller").get("sees", "zh")
    if sees not in SEES:
        raise BadInput(
            f"{directory.model_json} says that C sees {sees!r}, which is neither of "
            f"{', '.join(SEES)}.",
            make=("controller",),
        )
    return sees


def load(directory: ModelDirectory, features: int, or_before: bool = False) -> np.ndarray:
    """C's parameters (P,) of a model directory.

    Raises `BadInput` when they are missing or made for other features or another M, or V where C
    sees z alone. With `or_before` it may have been made for an M that was fine-tuned to today's.
    """
    facts = directory.facts("controller")
    part = SEES[policy_inputs(directory)]
    now = directory.facts(part)
    fitting = [now["digest"], *(now.get("finetuned_from", []) if or_before else [])]
    if facts[part] not in fitting:
        name = {"rnn": "M", "vision": "V"}[part]
        raise BadInput(
            f"C in {directory.path} was evolved on another {name}.",
            make=("controller",),
        )
    if facts["features"] != features:
        raise BadInput(
            f"C in {directory.path} acts on {facts['features']} numbers, not on {features}.",
            make=("controller",),
            options=("sees",),
        )
    model = policy(features)
    load_weights(model, directory.weights("controller"))
    kernel, bias = model.get_layer("action").get_weights()
    return np.concatenate([kernel.ravel(), bias])
