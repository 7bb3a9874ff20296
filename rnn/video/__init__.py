"""A conditional VAE that predicts video. `rnn.video.load(model_directory)` gives a trained one."""

from rnn.video.saved import load, restore, save

__all__ = ["load", "restore", "save"]
