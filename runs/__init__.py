"""What every run needs: arguments, directories, processes, progress. Nothing about driving."""

import os

# Read when TensorFlow is first imported.
# Only its fatal errors are shown (see also runs/quiet.py).
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# By itself TensorFlow uses oneDNN's kernels only on processors with AVX-512 VNNI; on others its own
# transposed convolutions take four to ten times as long.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
