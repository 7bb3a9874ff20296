# World Models in a box: TensorFlow on the CPU, or on a GPU by one build argument.
#
#   docker build -t world-models .                       docker build --build-arg GPU=1 -t world-models .
#   docker run --rm -v wm-data:/world-models/data world-models          (with a GPU: --gpus all)
#
# Runs `make run`; any other command can stand behind the image's name, e.g. `make test`.
# -v "$PWD/data:/world-models/data" -v "$PWD/res:/world-models/res" --user "$(id -u):$(id -g)"
# leaves models and pictures on the host.

FROM python:3.12.11-slim-bookworm

# No system libraries beyond make: headless OpenCV, pygame and Box2D bring their own in their wheels.
# Only for ARM there is no wheel of Box2D, and it is compiled.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make \
        $(test "$(uname -m)" != aarch64 || echo g++) \
    && rm -rf /var/lib/apt/lists/*

ARG GPU=0

# The environment lies outside the checkout, so that `make run` finds it installed.
# No display: SDL draws into memory. Caches go where any user may write.
ENV GPU=${GPU} \
    VENV=/opt/venv \
    SDL_VIDEODRIVER=dummy \
    SDL_AUDIODRIVER=dummy \
    MPLCONFIGDIR=/tmp/matplotlib \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONUNBUFFERED=1

RUN useradd --create-home driver
WORKDIR /world-models

# The large layer depends on the lock alone and survives every change of the code.
COPY Makefile requirements.lock ./
COPY runs/platform_check.py ./runs/
RUN make dependencies

COPY --chown=driver:driver . .
# Copied files carry the host's times: the stamp says that this lock is the one installed.
RUN touch "$VENV/.dependencies-gpu$GPU" \
    && make install \
    && mkdir -p data res \
    && chown driver:driver . data res

USER driver
VOLUME /world-models/data
CMD ["make", "run"]
