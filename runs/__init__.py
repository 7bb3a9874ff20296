"""What every run needs: arguments, directories, processes, progress. Nothing about driving."""

import os

# Before TensorFlow is first imported: its greetings would hide the one line a user must read.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
