"""M's step, V's decoder and C as ONNX graphs, written operation by operation.

The graphs are small, so they are written here and need no converter that would have to follow
every version of Keras. Weights are stored in float16 and widened when the graph is loaded: a
browser computes in float32. Dimensions: B dreams, L latent numbers, H units, K components.
"""

from collections.abc import Sequence

from envs.rollouts import ACTIONS
from rnn.dream import starts
from rnn.dream.dynamics import LEFT_PLAYFIELD
from rnn.saved import Memory

import keras
import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

OPSET = 17
IR_VERSION = 9  # read by all versions of ONNX Runtime that the page may be built with
FLOAT = TensorProto.FLOAT
Input = tuple[str, Sequence[int | str]]


class Graph:
    """An ONNX graph that grows by one operation a call; names of values are its handles."""

    def __init__(self, stored: type[np.floating] = np.float16):
        self._stored = stored
        self._nodes: list = []
        self._constants: list = []
        self._count = 0

    def add(self, operation: str, *inputs: str, name: str | None = None, **attributes) -> str:
        """Append an operation; the name of its one result."""
        [result] = self.split(operation, *inputs, names=[name or self._fresh()], **attributes)
        return result

    def split(self, operation: str, *inputs: str, names: list[str], **attributes) -> list[str]:
        """Append an operation with several results; their names."""
        self._nodes.append(helper.make_node(operation, list(inputs), names, **attributes))
        return names

    def weights(self, values: np.ndarray) -> str:
        """Trained numbers, stored small and computed with in float32."""
        if np.abs(values).max(initial=0) > np.finfo(self._stored).max:
            raise ValueError(f"A weight of {np.abs(values).max()} is too large to be stored.")
        stored = self._constant(np.asarray(values, self._stored))
        return self.add("Cast", stored, to=FLOAT)

    def numbers(self, *values: float) -> str:
        return self._constant(np.array(values, np.float32))

    def integers(self, *values: int) -> str:
        return self._constant(np.array(values, np.int64))

    def model(self, name: str, inputs: Sequence[Input], outputs: Sequence[Input]) -> ModelProto:
        """The finished and checked model; all inputs and outputs are float32."""
        ends = [
            [helper.make_tensor_value_info(value, FLOAT, shape) for value, shape in side]
            for side in (inputs, outputs)
        ]
        graph = helper.make_graph(self._nodes, name, *ends, self._constants)
        opsets = [helper.make_opsetid("", OPSET)]
        made = helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="world-models"
        )
        checker.check_model(made, full_check=True)
        return made

    def _constant(self, values: np.ndarray) -> str:
        name = self._fresh()
        self._constants.append(numpy_helper.from_array(values, name))
        return name

    def _fresh(self) -> str:
        self._count += 1
        return f"v{self._count}"


def step(memory: Memory, tile: float, stored: type[np.floating] = np.float16) -> ModelProto:
    """One step of the dream, as `rnn.dream.dynamics.Dream.step` does it.

    Inputs: `z` (B, L), `h`, `c` (B, H), `action` (B, 3), `uniform` (B, L + 1) in (0, 1), of which
    the last decides whether the episode ends, `normal` (B, L), `temperature` (1,).
    Outputs: `z_next`, `h_next`, `c_next`, `reward` (B, 1) in points, `done` (B, 1) of 0 or 1 and
    `tile` (B, 1), the probability of a new tile. `tile` is also what one is worth. The end of a
    dream whose tiles gave a whole track's points is left to the caller, who counts them.
    """
    graph, latent = Graph(stored), memory.latent
    layer = memory.network.get_layer
    x = graph.add("Concat", "z", "action", axis=1)
    h = _lstm(graph, x, layer("lstm").cell.get_weights())
    mixture = _dense(graph, h, layer("mixture"))
    components = mixture_size(memory)
    shaped = graph.add("Reshape", mixture, graph.integers(-1, latent, 3 * components))
    z_uniform, end_uniform = graph.split(
        "Split", "uniform", graph.integers(latent, 1), names=["z_uniform", "end_uniform"], axis=1
    )
    _draw(graph, shaped, components, z_uniform)
    probability = graph.add("Sigmoid", _dense(graph, h, layer("tile")), name="tile")
    over = graph.add("Less", end_uniform, graph.add("Sigmoid", _dense(graph, h, layer("done"))))
    graph.add("Cast", over, name="done", to=FLOAT)
    gained = graph.add("Mul", probability, graph.numbers(tile))
    reward = graph.add("Add", gained, graph.numbers(starts.STEP_REWARD))
    lost = graph.add("Sub", graph.numbers(1), probability)
    left = graph.add("Mul", lost, graph.numbers(LEFT_PLAYFIELD))
    at_end = graph.add("Add", graph.add("Mul", probability, reward), left)
    graph.add("Where", over, at_end, reward, name="reward")

    def of(size: int, *names: str) -> list[Input]:
        return [(name, ("B", size)) for name in names]

    units = memory.units
    inputs = [*of(latent, "z"), *of(units, "h", "c"), *of(ACTIONS, "action")]
    inputs += [*of(latent + 1, "uniform"), *of(latent, "normal"), ("temperature", (1,))]
    outputs = [*of(latent, "z_next"), *of(units, "h_next", "c_next")]
    return graph.model("step", inputs, outputs + of(1, "reward", "done", "tile"))


def mixture_size(memory: Memory) -> int:
    """K, the components of the mixture of each latent number."""
    return memory.network.get_layer("mixture").units // (3 * memory.latent)


def controller(parameters: np.ndarray, latent: int) -> ModelProto:
    """C and its squashing, as `controller.arch.act`: `z`, `h` → `action` (B, 3).

    Its 867 numbers stay float32.
    """
    graph = Graph(np.float32)
    layer = np.asarray(parameters, np.float32).reshape(-1, ACTIONS)
    features = graph.add("Concat", "z", "h", axis=1)
    raw = graph.add("Gemm", features, graph.weights(layer[:-1]), graph.weights(layer[-1]))
    names = ["steering", "gas", "brake"]
    graph.split("Split", graph.add("Tanh", raw), graph.integers(1, 1, 1), names=names, axis=1)
    half = graph.numbers(0.5)
    gas = graph.add("Add", graph.add("Mul", "gas", half), half)
    graph.add("Concat", "steering", gas, graph.add("Relu", "brake"), name="action", axis=1)
    units = len(layer) - 1 - latent
    return graph.model(
        "controller",
        [("z", ("B", latent)), ("h", ("B", units))],
        [("action", ("B", ACTIONS))],
    )


def decoder(network: keras.Model, stored: type[np.floating] = np.float16) -> ModelProto:
    """V's decoder with layers as the VAE's: `z` (B, L) → `frame` (B, 64, 64, 3) in [0, 1].

    Between the first dense layer and the first convolution, which sees one pixel, there is no
    activation. Both are one linear map from L numbers to 5·5·128, a thirtieth of their weights.
    """
    dense, *convolutions = [layer for layer in network.layers if layer.weights]
    graph = Graph(stored)
    kernel, bias = folded(dense, convolutions[0])
    x = graph.add("Gemm", "z", graph.weights(kernel), graph.weights(bias))
    size, filters = convolutions[0].kernel_size, convolutions[0].filters
    x = graph.add("Reshape", graph.add("Relu", x), graph.integers(-1, filters, *size))
    for layer in convolutions[1:]:
        kernel, bias = layer.get_weights()
        # Keras has (height, width, filters, C), ONNX (C, filters, height, width).
        weights = graph.weights(kernel.transpose(3, 2, 0, 1)), graph.weights(bias)
        x = graph.add("ConvTranspose", x, *weights, strides=list(layer.strides))
        x = graph.add("Sigmoid" if layer is convolutions[-1] else "Relu", x)
    graph.add("Transpose", x, name="frame", perm=[0, 2, 3, 1])
    latent = network.input.shape[-1]
    return graph.model("decoder", [("z", ("B", latent))], [("frame", ("B", 64, 64, 3))])


def can_decode(network: keras.Model) -> bool:
    """Whether `decoder` knows all layers of a network: a dense one and transposed convolutions."""
    first, *others = [layer for layer in network.layers if layer.weights]
    return isinstance(first, keras.layers.Dense) and all(
        isinstance(layer, keras.layers.Conv2DTranspose) for layer in others
    )


def folded(dense: keras.Layer, convolution: keras.Layer) -> tuple[np.ndarray, np.ndarray]:
    """A dense layer and the transposed convolution of its one pixel as one map, filters first:
    (L, filters · height · width) and (filters · height · width,)."""
    first, first_bias = (part.astype(np.float64) for part in dense.get_weights())
    second, second_bias = (part.astype(np.float64) for part in convolution.get_weights())
    height, width, filters, channels = second.shape
    second = second.transpose(3, 2, 0, 1).reshape(channels, -1)
    bias = first_bias @ second + np.repeat(second_bias, height * width)
    return first @ second, bias


def _lstm(graph: Graph, x: str, weights: list[np.ndarray]) -> str:
    """Keras' LSTM cell, whose gates lie in the order i, f, c, o; names `h_next` and `c_next`."""
    kernel, recurrent, bias = map(graph.weights, weights)
    from_memory = graph.add("Gemm", "h", recurrent, bias)
    gates = graph.add("Add", graph.add("MatMul", x, kernel), from_memory)
    units = len(weights[1])
    names = ["input", "forget", "candidate", "output"]
    graph.split("Split", gates, graph.integers(*[units] * 4), names=names, axis=1)
    kept = graph.add("Mul", graph.add("Sigmoid", "forget"), "c")
    new = graph.add("Mul", graph.add("Sigmoid", "input"), graph.add("Tanh", "candidate"))
    c = graph.add("Add", kept, new, name="c_next")
    return graph.add("Mul", graph.add("Sigmoid", "output"), graph.add("Tanh", c), name="h_next")


def _draw(graph: Graph, mixture: str, components: int, uniform: str) -> None:
    """`rnn.arch.draw` of a mixture (B, L, 3·K); names `z_next`."""
    parts = graph.split(
        "Split",
        mixture,
        graph.integers(*[components] * 3),
        names=["logit", "component_mean", "component_log_sd"],
        axis=2,
    )
    chosen = _component(graph, parts[0], components, uniform)
    mean, log_sd = (graph.add("GatherElements", part, chosen, axis=2) for part in parts[1:])
    deviation = graph.add("Mul", graph.add("Exp", log_sd), graph.add("Sqrt", "temperature"))
    noise = graph.add("Unsqueeze", "normal", graph.integers(2))
    drawn = graph.add("Add", mean, graph.add("Mul", deviation, noise))
    graph.add("Squeeze", drawn, graph.integers(2), name="z_next")


def _component(graph: Graph, logit: str, components: int, uniform: str) -> str:
    """The number (B, L, 1) of the component in whose share of the whole the place lies."""
    heaviest = graph.add("ReduceMax", logit, axes=[2], keepdims=1)
    scaled = graph.add("Div", graph.add("Sub", logit, heaviest), "temperature")
    reached = graph.add("CumSum", graph.add("Exp", scaled), graph.integers(2))
    whole = graph.add("Slice", reached, *map(graph.integers, (components - 1, components, 2)))
    place = graph.add("Mul", graph.add("Unsqueeze", uniform, graph.integers(2)), whole)
    # As many components as end at or before the place are passed over, but never the last.
    passed = graph.add("Cast", graph.add("GreaterOrEqual", place, reached), to=TensorProto.INT64)
    count = graph.add("ReduceSum", passed, graph.integers(2), keepdims=1)
    return graph.add("Min", count, graph.integers(components - 1))


def _dense(graph: Graph, x: str, layer: keras.Layer) -> str:
    return graph.add("Gemm", x, *map(graph.weights, layer.get_weights()))
