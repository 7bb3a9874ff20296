"""A training that is stopped as a kill would, for tests of what resumes."""

import keras


class Stop(keras.callbacks.Callback):
    """Ends a sitting of a training after so many batches."""

    def __init__(self, after: int):
        super().__init__()
        self.left = after

    def on_train_batch_begin(self, batch, logs=None):
        self.left -= 1
        if self.left < 0:
            raise InterruptedError
