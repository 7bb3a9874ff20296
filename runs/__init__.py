"""What every run needs: arguments, directories, processes, progress. Nothing about driving."""

import os

# Read when TensorFlow is first imported.
# Only its fatal errors are shown (see also runs/quiet.py).
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# By itself TensorFlow uses oneDNN's kernels only on processors with AVX-512 VNNI; on others its own
# transposed convolutions take four to ten times as long.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Read when TensorFlow first uses a GPU: it then takes the memory that it needs, not all there is.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
# Read when NumPy is first imported. Its sums differ in their last bits with the number of threads,
# and no work here is large enough to need more than one; workers would each start all.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
