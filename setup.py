"""The packages of World Models and what they need.

The bounds below say what the code is written for; requirements.lock says exactly what is installed.
After a change here run `make lock`.
"""

from setuptools import find_packages, setup

PACKAGES = ("runs", "settings", "envs", "vae", "rnn", "controller")
LINUX_ON_ARM = "sys_platform == 'linux' and platform_machine == 'aarch64'"
CLUSTER = ["distributed>=2025.1,<2028"]  # Dask; its versions are years
OTHERS = "sys_platform != 'linux' or platform_machine != 'aarch64'"

setup(
    name="world-models",
    version="0.1.0",
    description="World Models on CarRacing: see, remember and drive, trained from nothing",
    author="The World Models contributors",
    license="MIT",
    # As in runs/platform_check.py: from 3.14 on Box2D has no wheel.
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=[f"{name}*" for name in PACKAGES]),
    install_requires=[
        # The networks. Keras 3 is named beside TensorFlow because the code is written against it.
        "tensorflow>=2.18,<3",
        "keras>=3.6,<4",
        # Writes the training logs through tf.summary; TensorFlow no longer brings it along.
        "tensorboard>=2.18,<3",
        # The world. From 1.2.3 on Box2D comes as a wheel; before, it is compiled with swig.
        f"gymnasium[box2d]>=1.2.3,<2; {OTHERS}",
        # No wheel there: the same Box2D is compiled, which moves the car as the wheel does.
        f"gymnasium>=1.2.3,<2; {LINUX_ON_ARM}",
        f"box2d-py>=2.3.8,<2.4; {LINUX_ON_ARM}",
        f"pygame-ce>=2.5,<3; {LINUX_ON_ARM}",
        f"swig>=4,<5; {LINUX_ON_ARM}",
        "numpy>=1.26,<3",
        # Keras brings it; here it looks into weights before Keras reads them.
        "h5py>=3.11,<4",
        "cma>=4,<5",
        # Draws the world: its affine warp was the fastest measured. Headless: needs no X libraries.
        "opencv-python-headless>=4.10,<6",
        "matplotlib>=3.8,<4",
        "imageio>=2.34,<3",
        "tqdm>=4.66,<5",
        # Reads recipes; from 3.11 on Python has it.
        "tomli>=2,<3; python_version < '3.11'",
        # Keeps a second process out of a directory on every system; 3.30 brought lock_descriptor.
        "filelock>=3.30,<5",
    ],
    extras_require={
        # xdist spreads the suite over two cores, hypothesis damages files.
        "test": [
            "pytest>=9,<10",
            "pytest-xdist>=3.6,<4",
            "hypothesis>=6.100,<7",
            "ruff>=0.12,<1",
            "mypy>=2,<3",
            *CLUSTER,
        ],
        # What the project is measured against. EnvPool without the old gym needs Python 3.11.
        "bench": ["envpool>=1.2,<2; python_version >= '3.11'", "stable-baselines3>=2.6,<3"],
        # Others' agents in the world and in the dream: envs/sb3.py.
        "sb3": ["stable-baselines3>=2.6,<3", "torch>=2.6,<3"],
        # MP4 beside GIF: Gymnasium's RecordVideo needs moviepy, the project's own videos imageio's.
        "video": ["moviepy>=2,<3", "imageio-ffmpeg>=0.5,<1"],
        # Writes what the page in web/ runs; onnxruntime holds it against Keras in the tests.
        "web": ["onnx>=1.17,<2", "onnxruntime>=1.20,<2"],
        # A robot to be recorded: benchmarks/robot_pushing.py. It does not run with MuJoCo 4.
        "robot": ["gymnasium-robotics>=1.4,<2", "mujoco>=3.3,<4"],
        # Work on many machines: runs/cluster.py, docs/cluster.md.
        "cluster": CLUSTER,
    },
)
