"""What every run needs: arguments, directories, processes, progress. Nothing about driving."""

import os

# Read when TensorFlow is first imported: only its fatal errors are shown (see also runs/quiet.py).
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
