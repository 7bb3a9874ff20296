from runs import plots

import matplotlib.pyplot as plt
import pytest
from imageio import v3 as imageio


@pytest.mark.slow
def test_a_curve_of_many_losses_is_a_picture_that_is_not_empty(tmp_path):
    history = [
        {"loss": 3.0, "kl": 2.0, "val_loss": 4.0, "val_kl": 2.5},
        {"loss": 1.0, "kl": 2.2, "val_loss": 2.0, "val_kl": 2.1},
    ]
    titles = {"loss": "loss of a frame", "kl": "KL, nats a frame"}
    plots.learning_curve(tmp_path / "new" / "curve.png", history, "V", titles)
    picture = imageio.imread(tmp_path / "new" / "curve.png")
    assert picture.shape[0] > 100 and picture.shape[1] > 200
    assert len({tuple(pixel) for pixel in picture.reshape(-1, picture.shape[-1])}) > 2


def test_an_axis_of_a_single_epoch_has_one_tick(tmp_path):
    figure, axis = plt.subplots()
    axis.plot([1], [0.5], "o")
    plots.count(axis.xaxis)
    low, high = axis.get_xlim()
    assert [tick for tick in axis.get_xticks() if low <= tick <= high] == [1]
    plt.close(figure)


def test_a_name_is_shown_as_it_is(tmp_path):
    figure, axis = plt.subplots()
    axis.plot([1, 2], label=plots.plain(r"$\foo$"))
    axis.plot([2, 1], label=plots.plain("_of mine"))
    axis.legend()
    plots.save_figure(figure, tmp_path / "names.png")
    assert [text.get_text() for text in axis.get_legend().texts] == [r"\$\foo\$", " _of mine"]
