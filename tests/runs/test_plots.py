from runs import plots

from imageio import v3 as imageio


def test_a_curve_of_many_losses_is_a_picture_that_is_not_empty(tmp_path):
    history = [
        {"loss": 3.0, "kl": 2.0, "val_loss": 4.0, "val_kl": 2.5},
        {"loss": 1.0, "kl": 2.2, "val_loss": 2.0, "val_kl": 2.1},
    ]
    plots.learning_curve(tmp_path / "new" / "curve.png", history, "V")
    picture = imageio.imread(tmp_path / "new" / "curve.png")
    assert picture.shape[0] > 100 and picture.shape[1] > 200
    assert len({tuple(pixel) for pixel in picture.reshape(-1, picture.shape[-1])}) > 2
