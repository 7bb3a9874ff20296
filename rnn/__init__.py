"""M remembers and predicts. `rnn.load(model_directory)` gives a trained one."""

from rnn.saved import Memory, load, restore, save

__all__ = ["Memory", "load", "restore", "save"]
