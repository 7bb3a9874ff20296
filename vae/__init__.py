"""V sees: frames to latents and back. `vae.load(model_directory)` gives a trained one."""

from vae.saved import Vision, load, name, restore, save

__all__ = ["Vision", "load", "name", "restore", "save"]
