"""A registered record as a run in MLflow, with everything that is known of it, and as a version of its model."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from handbook import datasets
from handbook.files.formats import rows_of
from handbook.files.integrity import Sealed
from handbook.project import Case
from handbook.registry import ledger, mlflow_model

CONTENT = "handbook.content"
TRAINING = "handbook.training"
AT_ONCE = 1000  # metrics that MLflow's servers take in one request


def log(case: Case, content: Sealed, run_id: str | None, mlflow: Any) -> str:
    """Log a record, into the run that spoke while it was trained if there is one; returns its version number.

    What MLflow gets is read from the ledger, each file checked.
    """
    entry, metrics, training = content.json("entry.json"), content.json("report/metrics.json"), ledger.training(content)
    client, card = mlflow.MlflowClient(), model_card(case, entry, metrics, training)
    if run_id is None:
        home = mlflow.get_experiment_by_name(case.name).experiment_id
        name = f"{case.name}-{entry['content']}"
        run_id = str(client.create_run(home, tags={CONTENT: entry["content"]}, run_name=name).info.run_id)
    with tempfile.TemporaryDirectory() as scratch, mlflow.start_run(run_id=run_id) as run:
        mlflow.set_tags(_tags(entry, training))
        if not run.data.params:
            mlflow.log_params(entry["params"])
        if not run.data.metrics.get("train_loss"):
            _history(rows_of(content.read("report/history.csv").decode()), run_id, mlflow)
        mlflow.log_input(_dataset_input(entry), context="training")
        _algorithms(metrics.get("algorithms", {}), training.get("algorithms", {}), run.info, mlflow)
        content.lay_out(content.below("report"), Path(scratch) / "report")
        mlflow.log_artifacts(str(Path(scratch) / "report"), "report")
        mlflow.log_text(card, "model_card.md")
        content.lay_out(mlflow_model.layout(content), Path(scratch) / "model")
        model = _model(entry, run.info, Path(scratch) / "model", mlflow)
        mlflow.log_metrics(as_logged(metrics) | {"training_seconds": training["seconds"]}, model_id=model)
    tags = {CONTENT: entry["content"], "data": entry["data"], **form_of(entry)}
    shown = client.create_model_version(
        case.name, source=f"models:/{model}", run_id=run_id, tags=tags, description=card, model_id=model
    )
    return str(shown.version)


def take_away(case: Case, content: str, mlflow: Any) -> None:
    """Delete the runs of a record that no version is of: a registration that was cut off left them half logged."""
    client = mlflow.MlflowClient()
    home = mlflow.get_experiment_by_name(case.name).experiment_id
    versions = client.search_model_versions(f"name = '{case.name}'")
    whole = {each.run_id for each in versions}
    for run in client.search_runs([home], f"tags.`{CONTENT}` = '{content}'"):
        if run.info.run_id in whole:
            continue
        for nested in client.search_runs([home], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"):
            client.delete_run(nested.info.run_id)
        for model in client.search_logged_models([home], f"source_run_id = '{run.info.run_id}'"):
            client.delete_logged_model(model.model_id)
        client.delete_run(run.info.run_id)


def _model(entry: dict[str, Any], run: Any, place: Path, mlflow: Any) -> str:
    """A logged model of a run, its files those of a folder, and none else; returns its id."""
    client = mlflow.MlflowClient()
    params = {key: str(value) for key, value in entry["params"].items()}
    model = client.create_logged_model(run.experiment_id, "model", source_run_id=run.run_id, params=params)
    client.log_model_artifacts(model.model_id, str(place))
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run.run_id, models=[mlflow.entities.LoggedModelOutput(model.model_id, step=0)])
    return str(model.model_id)


def _history(rows: list[dict[str, float]], run_id: str, mlflow: Any) -> None:
    """A point an epoch, all of them at once: a transaction each would cost more than the rest."""
    now = int(1000 * time.time())
    points = [
        mlflow.entities.Metric(name, value, now, int(row["epoch"]))
        for row in rows
        for name, value in row.items()
        if name != "epoch"
    ]
    for k in range(0, len(points), AT_ONCE):
        mlflow.MlflowClient().log_batch(run_id, metrics=points[k : k + AT_ONCE])


def _algorithms(compared: dict[str, Any], times: dict[str, dict[str, float]], run: Any, mlflow: Any) -> None:
    """A nested run for each algorithm that a page compares, so that MLflow's own view ranks them."""
    client, now = mlflow.MlflowClient(), int(1000 * time.time())
    for name, figures in compared.items():
        own = dict(_flat({key: value for key, value in figures.items() if key != "chosen"})) | times.get(name, {})
        tags = {"mlflow.parentRunId": run.run_id, "algorithm": name}
        nested = client.create_run(run.experiment_id, tags=tags, run_name=name).info.run_id
        client.log_batch(
            nested,
            metrics=[mlflow.entities.Metric(key, value, now, 0) for key, value in own.items()],
            params=[mlflow.entities.Param(key, str(value)) for key, value in figures.get("chosen", {}).items()],
        )
        client.set_terminated(nested)


def _tags(entry: dict[str, Any], training: dict[str, Any]) -> dict[str, str]:
    checks = entry["expectations"]
    return {
        CONTENT: entry["content"],
        TRAINING: training["key"],
        "data": entry["data"],
        **form_of(entry),
        "dataset": entry["dataset"],
        "page": entry["page"],
        "mlflow.source.git.commit": entry["git"],
        "expectations": f"{checks['number']} met" if checks["success"] else "not validated",
        "device": training["device"],
        **({"prefect.flow_run": training["flow_run"]} if "flow_run" in training else {}),
        **{f"dvc.{path}": md5 for path, md5 in entry["dvc"].items()},
    }


def form_of(entry: dict[str, Any]) -> dict[str, str]:
    """Which form of its data a model was made from, where they are published in several and it is known."""
    return {"form": str(entry["form"])} if entry.get("form") else {}


def as_logged(metrics: dict[str, Any]) -> dict[str, float]:
    """A case's metrics as its run holds them, by flat names; those of compared algorithms have runs of their own."""
    return dict(_flat({key: value for key, value in metrics.items() if key != "algorithms"}))


def _flat(metrics: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for key, value in metrics.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            parts = ("value", "low", "high")[-len(value) :]  # an interval, or a value before it
            yield from ((f"{_clean(prefix + key)}.{part}", number) for part, number in zip(parts, value, strict=True))
        elif value is not None and not isinstance(value, str):
            yield _clean(prefix + key), float(value)


def _clean(name: str) -> str:
    """A name of characters that MLflow takes."""
    return re.sub(r"[^\w .-]", "-", name)


def _dataset_input(entry: dict[str, Any]) -> Any:
    from mlflow.data.http_dataset_source import HTTPDatasetSource
    from mlflow.data.meta_dataset import MetaDataset

    page = datasets.page(entry["dataset"])
    digest = hashlib.sha256(json.dumps(entry["expectations"]["files"], sort_keys=True).encode()).hexdigest()[:8]
    kind = "sample" if entry["data"] != "real" else entry.get("form")
    name = f"{entry['dataset']} ({kind})" if kind else entry["dataset"]
    return MetaDataset(HTTPDatasetSource(page.SOURCE), name=name, digest=digest)


def model_card(case: Case, entry: dict[str, Any], metrics: dict[str, Any], training: dict[str, Any]) -> str:
    """What a person should know before using the model (after Mitchell et al. 2019)."""
    page, data = datasets.page(entry["dataset"]), ", ".join([entry["data"], *form_of(entry).values()])
    primary = case.page.PRIMARY
    low, high = metrics["interval"][primary]
    book = f" The book reports {metrics['book'][primary]:.4f}." if primary in metrics["book"] else ""
    warning = "" if entry["data"] == "real" else "**Made from sample data: not a result, and not for use.**\n\n"
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
