"""The settings of each script: `STEPS` names their classes.

They stand together and below the packages that they steer, for importing `envs`, `vae` or `rnn`
means Gymnasium or TensorFlow: help, recipes and documentation need neither.
"""

from settings.adversary import TrainVAEGAN
from settings.driving import Evaluate, FinetuneController, TrainController
from settings.iteration import Iterate
from settings.memory import EvaluateDream, GenerateRNNData, TrainRNN
from settings.playing import Play
from settings.recipe import RunRecipe
from settings.recording import GenerateData
from settings.video import EvaluateVideo, TrainCVAE
from settings.vision import EvaluateVision, TrainVAE
from settings.web import ExportWeb

MAKERS = {  # what the packages may lack → who makes it
    "episodes": "01_generate_data.py",
    "vision": "02_train_vae.py or 02_train_vae_gan.py",
    "latents": "03_generate_rnn_data.py",
    "rnn": "04_train_rnn.py",
    "cvae": "04_train_cvae.py",
    "starts": "04_train_rnn.py",
    "controller": "05_train_controller.py",
}
STEPS = {
    "01_generate_data.py": GenerateData,
    "02_train_vae.py": TrainVAE,
    "02_train_vae_gan.py": TrainVAEGAN,
    "03_generate_rnn_data.py": GenerateRNNData,
    "04_train_cvae.py": TrainCVAE,
    "04_train_rnn.py": TrainRNN,
    "05_train_controller.py": TrainController,
    "06_finetune_controller.py": FinetuneController,
    "evaluate.py": Evaluate,
    "evaluate_dream.py": EvaluateDream,
    "evaluate_video.py": EvaluateVideo,
    "evaluate_vision.py": EvaluateVision,
    "export_web.py": ExportWeb,
    "iterate.py": Iterate,
    "play.py": Play,
    "run_recipe.py": RunRecipe,
}
