from runs import fitting
from runs.arguments import BadInput
from runs.weights import load_weights, save_weights

import keras
import pytest


def network() -> keras.Model:
    fitting.seed(1)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])


def test_weights_of_another_shape_or_with_a_layer_less_are_refused(tmp_path):
    path = tmp_path / "a.weights.h5"
    save_weights(network(), path)
    load_weights(network(), path)
    wide = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    deep = keras.Sequential([keras.Input((3,)), *[keras.layers.Dense(2) for _ in range(3)]])
    for other in (wide, deep):
        with pytest.raises(BadInput, match="a.weights.h5 does not fit the model"):
            load_weights(other, path)
    with pytest.raises(BadInput, match="does not exist"):
        load_weights(network(), tmp_path / "b.weights.h5")


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    path = tmp_path / "a.weights.h5"
    model = network()
    kernel, bias = model.layers[0].get_weights()
    kernel[1, 0] = float("nan")
    model.layers[0].set_weights([kernel, bias])
    save_weights(model, path)
    with pytest.raises(BadInput, match="kernel is not all finite numbers"):
        load_weights(network(), path)
