"""The registry: the only speaker of MLflow.

MLflow is a view of the ledger's files. Deleted, it is rebuilt from them with the same versions and aliases; nothing is
known to it alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from handbook import datasets, ledger, locks
from handbook.errors import HandbookError
from handbook.project import Case, Project, plain
from handbook.storage import read_rows, write_json

REQUIREMENTS = [
    "torch",
    "lightning",
    "numpy",
    "pandas",
    "scikit-learn",
    "matplotlib",
    "scipy",
    "safetensors",
    "skops",
    "pyyaml",
]
CONTENT = "handbook.content"
TRAINING = "handbook.training"
BATCH = "handbook.batch"
PATIENCE = 4.0  # seconds


def uri(project: Project) -> str:
    """Where MLflow is: the server or database that the environment names, else a database of the project's own."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{project.mlruns / 'mlflow.db'}"


def answers(project: Project) -> None:
    """Raise a HandbookError if MLflow is a server that is not there: its client would try for minutes."""
    place = uri(project)
    if not place.startswith("http"):
        return
    try:
        with urllib.request.urlopen(f"{place.rstrip('/')}/health", timeout=PATIENCE):  # noqa: S310 (just seen: http)
            pass
    except urllib.error.HTTPError:
        pass  # somebody is there
    except OSError as error:
        raise HandbookError(
            f"no MLflow server answers at {place} (MLFLOW_TRACKING_URI): {error}\n"
            "Start it: make ui   or use the project's own database: unset MLFLOW_TRACKING_URI"
        ) from None


@contextlib.contextmanager
def _mlflow(project: Project) -> Iterator[Any]:
    """MLflow set up for this project, one user at a time: two first uses would race to create the database."""
    answers(project)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow

    project.mlruns.mkdir(exist_ok=True)
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    with warnings.catch_warnings(), locks.alone(project.mlruns / ".lock"):
        warnings.filterwarnings("ignore", module="mlflow")  # hints on types that our signature settles
        mlflow.set_tracking_uri(uri(project))
        mlflow.set_registry_uri(uri(project))
        yield mlflow


def register(project: Project, case: Case) -> str:
    """Bring a case's current files into the ledger and the registry; returns a sentence that says what became of it.

    The same content is registered once. `challenger` is what was registered last; it becomes `champion` if it passes
    the gate, and the champion before it stays known as `previous`.
    """
    entry = ledger.entry(project, case)
    told = enter(project, case, entry)
    write_json(
        project.mlruns / "registered" / f"{case.name}.json",
        {"case": case.name, "content": entry["content"], "data": entry["data"]},
    )
    return told


def enter(project: Project, case: Case, entry: dict[str, Any]) -> str:
    """Bring what an entry describes into the ledger and MLflow; says what the gate said of it."""
    store = ledger.store(project, case.name)
    with _mlflow(project) as mlflow:
        ledger.keep(project, case, entry, store / entry["content"], _signer(mlflow))
        standing, verdict = ledger.enter(case, store, entry["content"])
        numbers = _show(project, case, standing, mlflow)
    return f"{case.name}: version {numbers[entry['content']]} {verdict}"


def follow(project: Project, case: Case, change: Callable[[], ledger.Standing]) -> dict[str, str]:
    """Let MLflow show the ledger as `change` leaves it, nobody else at work meanwhile; version numbers by content."""
    with _mlflow(project) as mlflow:
        return _show(project, case, change(), mlflow)


def numbers(project: Project, name: str) -> dict[str, str]:
    """The version number in MLflow of each content that it shows."""
    with _mlflow(project) as mlflow:
        found = mlflow.MlflowClient().search_model_versions(f"name = '{name}'")
    return {each.tags.get(CONTENT, ""): str(each.version) for each in found}


def recorded(project: Project, name: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What MLflow holds of a case: `metrics`, folder of the `model` and `version`, by content; and its aliases."""
    with _mlflow(project) as mlflow:
        client = mlflow.MlflowClient()
        if not client.search_registered_models(f"name = '{name}'"):
            return {}, {}
        contents = {}
        for each in client.search_model_versions(f"name = '{name}'"):
            found = {"metrics": client.get_run(each.run_id).data.metrics, "version": str(each.version), "model": None}
            with contextlib.suppress(mlflow.exceptions.MlflowException, OSError):  # its files are lost: None
                found["model"] = Path(mlflow.artifacts.download_artifacts(f"models:/{name}/{each.version}"))
            contents[each.tags.get(CONTENT, "")] = found
        of = {each["version"]: content for content, each in contents.items()}
        aliases = client.get_registered_model(name).aliases
        return contents, {alias: of.get(str(version), "") for alias, version in aliases.items()}


def _signer(mlflow: Any) -> ledger.Sign:
    infer = mlflow.models.infer_signature

    def sign(example: Any, answer: Any) -> dict[str, Any]:
        """MLflow's own signature; a column with gaps, which it refuses to look at, may be left out."""
        signature = dict(infer(ledger.without_gaps(example), answer).to_dict())
        if hasattr(example, "columns"):
            columns = [json.loads(infer(_filled(example[[name]])).to_dict()["inputs"])[0] for name in example]
            told = [column | {"required": bool(example[column["name"]].notna().all())} for column in columns]
            signature["inputs"] = json.dumps(told)
        return signature

    return sign


def _filled(column: Any) -> Any:
    """A column's rows but the gaps; whole numbers, which pandas keeps apart where gaps are, as MLflow has them."""
    rows = column.dropna()
    return rows.astype({name: "int64" for name, kind in rows.dtypes.items() if str(kind) == "Int64"})


def _show(project: Project, case: Case, standing: ledger.Standing, mlflow: Any) -> dict[str, str]:
    """Make MLflow show the ledger: its versions in order, its aliases. Returns the version number of each content."""
    client = mlflow.MlflowClient()
    _experiment(project, case, mlflow)
    if not client.search_registered_models(f"name = '{case.name}'"):
        client.create_registered_model(case.name, description=_summary(case))
    shown = {each.tags.get(CONTENT): each.version for each in client.search_model_versions(f"name = '{case.name}'")}
    for content in standing["versions"]:
        if content not in shown:
            shown[content] = _log(case, ledger.store(project, case.name) / content, mlflow)
    known = client.get_registered_model(case.name).aliases
    for alias in ledger.ALIASES:
        if standing.get(alias):
            client.set_registered_model_alias(case.name, alias, shown[standing[alias]])
        elif alias in known:  # a rollback leaves no previous
            client.delete_registered_model_alias(case.name, alias)
    return {content: str(shown[content]) for content in standing["versions"]}


def _summary(case: Case) -> str:
    return (case.page.__doc__ or "").split("\n\n", 1)[0]


def _experiment(project: Project, case: Case, mlflow: Any) -> None:
    """The case's experiment; its artifacts lie under mlruns/, unless a server keeps them."""
    if mlflow.get_experiment_by_name(case.name) is None:
        local = not uri(project).startswith("http")
        place = (project.mlruns / "artifacts" / case.name).as_uri() if local else None
        mlflow.create_experiment(case.name, artifact_location=place)
    mlflow.set_experiment(case.name)


def _log(case: Case, place: Path, mlflow: Any) -> str:
    """One registered content as an MLflow run with everything that is known of it; returns its version number."""
    entry, report = ledger.read(place / "entry.json"), place / "report"
    training = ledger.read(report / "training.json")
    with mlflow.start_run(run_id=_live_run(case, training["key"], mlflow), run_name=f"{case.name}-{entry['content']}"):
        mlflow.set_tags(_tags(entry, training))
        if not mlflow.active_run().data.params:
            mlflow.log_params(entry["params"])
        metrics = ledger.read(report / "metrics.json")
        mlflow.log_metrics(as_logged(metrics) | {"training_seconds": training["seconds"]})
        if not mlflow.active_run().data.metrics.get("train_loss"):
            for row in read_rows(report / "history.csv"):
                mlflow.log_metrics({k: v for k, v in row.items() if k != "epoch"}, step=int(row["epoch"]))
        mlflow.log_input(_dataset_input(entry), context="training")
        _algorithms(metrics.get("algorithms", {}), training.get("algorithms", {}), mlflow)
        mlflow.log_artifacts(str(report), "report")
        mlflow.log_text(model_card(case, entry, metrics, training), "model_card.md")
        model = _log_model(place, entry, mlflow)
        registered = mlflow.MlflowClient().create_model_version(
            case.name,
            source=model.model_uri,
            run_id=mlflow.active_run().info.run_id,
            tags={CONTENT: entry["content"], "data": entry["data"]},
            description=model_card(case, entry, metrics, training),
            model_id=model.model_id,
        )
    return str(registered.version)


def _algorithms(compared: dict[str, dict[str, Any]], times: dict[str, dict[str, float]], mlflow: Any) -> None:
    """A nested run for each algorithm that a page compares, so that MLflow's own view ranks them."""
    for name, figures in compared.items():
        own = {key: value for key, value in figures.items() if key != "chosen"}
        with mlflow.start_run(run_name=name, nested=True):
            mlflow.set_tag("algorithm", name)
            mlflow.log_params(figures.get("chosen", {}))
            mlflow.log_metrics(dict(_flat(own)) | times.get(name, {}))


def _tags(entry: dict[str, Any], training: dict[str, Any]) -> dict[str, str]:
    checks = entry["expectations"]
    return {
        CONTENT: entry["content"],
        TRAINING: training["key"],
        "data": entry["data"],
        "dataset": entry["dataset"],
        "page": entry["page"],
        "mlflow.source.git.commit": entry["git"],
        "expectations": f"{checks['number']} met" if checks["success"] else "not validated",
        "device": training["device"],
        **({"prefect.flow_run": training["flow_run"]} if "flow_run" in training else {}),
        **{f"dvc.{path}": md5 for path, md5 in entry["dvc"].items()},
    }


def as_logged(metrics: dict[str, Any]) -> dict[str, float]:
    """A case's metrics as its run holds them, by flat names; those of compared algorithms have runs of their own."""
    return dict(_flat({key: value for key, value in metrics.items() if key != "algorithms"}))


def _flat(metrics: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for key, value in metrics.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            yield from ((f"{prefix}{key}.{side}", bound) for side, bound in zip(("low", "high"), value, strict=True))
        elif value is not None and not isinstance(value, str):
            yield re.sub(r"[^\w .-]", "-", f"{prefix}{key}"), float(value)


def _dataset_input(entry: dict[str, Any]) -> Any:
    from mlflow.data.http_dataset_source import HTTPDatasetSource
    from mlflow.data.meta_dataset import MetaDataset

    page = datasets.page(entry["dataset"])
    digest = hashlib.sha256(json.dumps(entry["expectations"]["files"], sort_keys=True).encode()).hexdigest()[:8]
    name = entry["dataset"] if entry["data"] == "real" else f"{entry['dataset']} (sample)"
    return MetaDataset(HTTPDatasetSource(page.SOURCE), name=name, digest=digest)


def _log_model(place: Path, entry: dict[str, Any], mlflow: Any) -> Any:
    """The model with its code, signature and example, for MLflow's pyfunc interface."""
    return mlflow.pyfunc.log_model(
        name="model",
        python_model=str(place / "handbook" / "served.py"),
        artifacts={"model": str(place / "model")},
        model_config={"case": entry["case"], "page": entry["page"], "params": entry["params"]},
        code_paths=[str(place / "handbook")],
        signature=mlflow.models.ModelSignature.from_dict(ledger.read(place / "signature.json")),
        input_example=ledger.without_gaps(ledger.frame_of(ledger.read(place / "example.json"))),
        pip_requirements=[f"{name}=={version(name).split('+')[0]}" for name in REQUIREMENTS],
    )


def model_card(case: Case, entry: dict[str, Any], metrics: dict[str, Any], training: dict[str, Any]) -> str:
    """What a person should know before using the model (after Mitchell et al. 2019)."""
    page, data = datasets.page(entry["dataset"]), entry["data"]
    primary = case.page.PRIMARY
    low, high = metrics["interval"][primary]
    book = f" The book reports {metrics['book'][primary]:.4f}." if primary in metrics["book"] else ""
    warning = "" if data == "real" else "**Made from sample data: not a result, and not for use.**\n\n"
    return (
        f"# {case.name}\n\n{warning}{(case.page.__doc__ or '').strip()}\n\n"
        f"## How well it does\n\n{primary} {metrics[primary]:.4f} on the test set "
        f"(95 % interval {low:.4f} to {high:.4f}); "
        f"the trivial baseline has {metrics['baseline'][primary]:.4f}.{book}\n\n"
        f"## Data\n\n{entry['dataset']} ({data}): {page.SOURCE}. Licence: {page.LICENCE}.\n\n"
        f"{(page.__doc__ or '').strip()}\n\n"
        f"## How it was made\n\n{training['epochs']} epochs in {training['seconds']} s on {training['device']}; "
        f"git {entry['git']}; {entry['expectations']['number']} expectations met by the data.\n"
    )


def _live_run(case: Case, key: str, mlflow: Any) -> str | None:
    """The run that spoke while this training ran, if one did and has not been registered yet."""
    found = mlflow.search_runs(
        experiment_names=[case.name], filter_string=f"tags.`{TRAINING}` = '{key}'", output_format="list"
    )
    free = [run.info.run_id for run in found if CONTENT not in run.data.tags]
    return free[0] if free else None


def live(project: Project, case: Case, key: str) -> Callable[[dict[str, float]], None]:
    """A listener that shows each epoch in MLflow as it ends; `register` later completes the same run."""
    with _mlflow(project) as mlflow:
        _experiment(project, case, mlflow)
        run_id = _live_run(case, key, mlflow)
        if run_id is None:
            client = mlflow.MlflowClient()
            experiment = mlflow.get_experiment_by_name(case.name).experiment_id
            run_id = client.create_run(experiment, tags={TRAINING: key}, run_name=f"{case.name}-{key}").info.run_id
            for name, value in plain(case.params).items():
                client.log_param(run_id, name, value)

    def tell(row: dict[str, float]) -> None:
        for name, value in row.items():
            if name != "epoch":
                mlflow.MlflowClient().log_metric(run_id, name, value, step=int(row["epoch"]))

    return tell


def log_batch(project: Project, case: Case, record: dict[str, Any], page: Path) -> None:
    """What was said of a batch, as a run of the experiment CASE-monitor; the same bytes are logged once."""
    with _mlflow(project) as mlflow:
        _experiment(project, replace(case, name=f"{case.name}-monitor"), mlflow)
        found = mlflow.search_runs(
            experiment_names=[f"{case.name}-monitor"],
            filter_string=f"tags.`{BATCH}` = '{record['sha256']}'",
            output_format="list",
        )
        if found and found[0].info.status == "FINISHED":
            return
        with mlflow.start_run(run_id=found[0].info.run_id if found else None, run_name=record["batch"]):
            tags = {key: record[key] for key in ("outcome", "data", "dataset", "champion")}
            mlflow.set_tags({BATCH: record["sha256"], **tags})
            mlflow.log_metrics(dict(_flat(_numbers_of(record))))
            mlflow.log_artifact(str(page))


def _numbers_of(record: dict[str, Any]) -> dict[str, Any]:
    columns = {each["column"]: each for each in record.get("columns", [])}
    return {
        "rows": record.get("rows", 0),
        "refused": record["outcome"] == "refused",
        "drifted": record["outcome"] == "drifted",
        "drifted_columns": sum(each["drifted"] for each in columns.values()),
        "moved": {name: each["moved"] for name, each in columns.items()},
        "p": {name: each["p"] for name, each in columns.items()},
        "score": record.get("score") or {},
    }


def run_url(project: Project, name: str, server: str = "http://127.0.0.1:5000") -> str | None:
    """The page of a case's last registered run on an MLflow server, or None if there is none."""
    standing = ledger.read(ledger.store(project, name) / "ledger.json")
    if not standing:
        return None
    with _mlflow(project) as mlflow:
        found = mlflow.MlflowClient().search_model_versions(f"name = '{name}'")
        runs = {each.tags.get(CONTENT): each.run_id for each in found}
        experiment = mlflow.get_experiment_by_name(name)
    run = runs.get(standing["challenger"])
    return f"{server}/#/experiments/{experiment.experiment_id}/runs/{run}" if run and experiment else None
