# World Models in a box: TensorFlow on the CPU, or on a GPU by one build argument.
#
#   docker build -t world-models .                       docker build --build-arg GPU=1 -t world-models .
#   docker run --rm -v wm-data:/world-models/data world-models          (with a GPU: --gpus all)
#
# Runs `make run`; any other command can stand behind the image's name, e.g. `make test`.
# docs/docker.md: keeping what a run leaves behind, other users, a read-only root, limits, sizes.
#
# For linux/amd64. On linux/arm64 Box2D is compiled; the image was not built there.

FROM python:3.12.11-slim-bookworm AS base

# No system libraries: headless OpenCV, pygame and Box2D bring their own in their wheels.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make tini \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin

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


FROM base AS environment

# For strip; on ARM64 also for Box2D.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        binutils $(test "$(uname -m)" != aarch64 || echo g++)

# The large steps depend on the lock and the Makefile, and survive every change of the code.
COPY Makefile requirements.lock ./
COPY runs/platform_check.py ./runs/
RUN make dependencies

# TensorFlow's wheel for x86-64 has machine code for GPUs in it. The CPU build of the same release
# takes the place of its files; its name stays, so that the lock is fulfilled and `pip check` holds.
RUN if [ "$GPU" = 0 ] && [ "$(uname -m)" = x86_64 ]; then \
        release=$("$VENV/bin/python" -c \
            'from importlib.metadata import version; print(version("tensorflow"))') \
        && rm -r "$VENV"/lib/python3*/site-packages/tensorflow \
        && "$VENV/bin/pip" install --quiet --no-deps "tensorflow-cpu==$release"; \
    fi

# What nothing here uses: TensorFlow's headers and symbols, the library of the generator of its
# bindings, the server of TensorBoard's page, manuals, and the packages' own tests.
RUN cd "$VENV"/lib/python3*/site-packages \
    && rm -rf tensorflow/include clang/native tensorboard_data_server/bin \
        pygame/docs pygame/examples \
    && find . -type d -name tests -prune -exec rm -rf {} + \
    && find tensorflow -name '*.so*' -exec strip --strip-unneeded {} +


FROM base

RUN useradd --create-home driver
WORKDIR /world-models
COPY --from=environment /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH

COPY --chown=driver:driver . .
# Copied files carry the host's times: the stamp says that this lock is the one installed.
RUN touch "$VENV/.dependencies-gpu$GPU" \
    && make install \
    && mkdir -p data res \
    && chown driver:driver . data res

USER driver
VOLUME /world-models/data
# A container's first process ignores signals if it is make; tini passes them on to all there are.
ENTRYPOINT ["tini", "-g", "--"]
CMD ["make", "run"]
