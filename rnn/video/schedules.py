"""What changes from epoch to epoch: the weight of the KL and the share of teacher forcing."""

from settings.video import Annealing, TeacherForcing, TrainCVAE

import keras
import numpy as np

RISE = {"monotonic": 0.25, "cyclical": 0.5}  # share of a cycle


def kl_weights(settings: Annealing, epochs: int) -> np.ndarray:
    """β of each epoch e, (E,): β_max · min(1, ((e mod T) / T) / R), T = E / M.

    M cycles (Fu et al. 2019), of which a share R each is a rise from 0; monotonic is one cycle.
    """
    if settings.kl_anneal == "none":
        return np.full(epochs, settings.kl_weight)
    rise = settings.kl_rise or RISE[settings.kl_anneal]
    # In whole numbers, so that no rounding lets a cycle begin an epoch late.
    within = np.arange(epochs) * settings.cycles % epochs / epochs
    return settings.kl_weight * np.minimum(1, within / rise)


def teacher_forcing(settings: TeacherForcing, epochs: int) -> np.ndarray:
    """The share of each epoch's sequences that is teacher-forced, (E,).

    1 until the start epoch, then falling by the step an epoch, never below the floor.
    """
    falling = np.maximum(0, np.arange(epochs) - settings.teacher_forcing_start + 1)
    share = 1 - settings.teacher_forcing_step * falling
    return np.maximum(settings.teacher_forcing_floor, share)


class Schedules(keras.callbacks.Callback):
    """Sets both at the begin of every epoch, so that a resumed training has those it would have."""

    def __init__(self, settings: TrainCVAE):
        super().__init__()
        self.kl_weights = kl_weights(settings, settings.epochs)
        self.teacher_forcing = teacher_forcing(settings, settings.epochs)

    def on_epoch_begin(self, epoch, logs=None):
        self.model.kl_weight.assign(self.kl_weights[epoch])
        self.model.teacher_forcing.assign(self.teacher_forcing[epoch])
