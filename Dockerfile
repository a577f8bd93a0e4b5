# syntax=docker/dockerfile:1
# The handbook with everything that `make setup` installs. Torch is the registry's build, on Linux the one with CUDA;
# its CPU build is some GB less: docker build --build-arg TORCH=cpu .
FROM python:3.12-slim-bookworm

ARG TORCH=

# git: DVC and the registry ask it for the commit; make: the project's commands
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git make \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 handbook \
 && install --directory --owner=handbook --group=handbook /handbook /artifacts

USER handbook
WORKDIR /handbook

# First only what the set-up is made from, and stand-ins for what its metadata name: an edited source or a new
# results table in the README leaves these layers as they are.
COPY --chown=handbook:handbook pyproject.toml Makefile ./
COPY --chown=handbook:handbook requirements requirements
RUN mkdir -p src/handbook && touch src/handbook/__init__.py README.md

RUN --mount=type=cache,target=/home/handbook/.cache/pip,uid=1000,gid=1000 make setup TORCH="$TORCH"

COPY --chown=handbook:handbook . .

ENV PATH=/handbook/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DO_NOT_TRACK=true \
    PREFECT_SERVER_ANALYTICS_ENABLED=false \
    PREFECT_HOME=/handbook/.prefect \
    MLFLOW_DISABLE_TELEMETRY=true \
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
    DVC_NO_ANALYTICS=1 \
    DVC_SITE_CACHE_DIR=/handbook/.dvc/site

# there is no git history in here for DVC to use; the folders are there so that volumes on them belong to us
RUN dvc config --local core.no_scm true \
 && mkdir -p data .sample models mlruns reports .dvc/cache \
 && install --directory --mode=0700 .prefect .dvc/site

# Prefect, MLflow, reports
EXPOSE 4200 5000 8000

# the services of compose.yaml have sharper ones
HEALTHCHECK --interval=30s --timeout=10s CMD ["python", "-c", "import handbook"]

CMD ["make", "help"]
