"""The registry in MLflow: a view of the ledger.

MLflow is a view of the ledger's files. Deleted, it is rebuilt from them with the same versions and aliases; nothing is
known to it alone.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from handbook.evaluation import examples
from handbook.files import leftovers
from handbook.files.formats import write_json
from handbook.project import Case, Project, plain
from handbook.registry import changes, connection, kept, ledger, mlflow_model, mlflow_run, standings
from handbook.registry.mlflow_run import CONTENT, TRAINING
from handbook.registry.standings import ALIASES, LedgerState

BATCH = "handbook.batch"
MODEL = re.compile(r"models:/(m-\w+)")  # the source of a version that is a logged model


def register(project: Project, case: Case) -> str:
    """Bring a case's current files into the ledger and the registry; returns a sentence that says what became of it.

    The same record is registered once. `challenger` is what was registered last; it becomes `champion` if it passes
    the gate, and the champion before it stays known as `previous`.
    """
    entry = ledger.entry(project, case)
    outcome = enter(project, case, entry)
    shown_as = project.mlruns / "registered" / f"{case.name}.json"
    with leftovers.removed(shown_as):
        write_json(shown_as, {"case": case.name, "content": entry["content"], "data": entry["data"], "said": outcome})
    return outcome


def enter(project: Project, case: Case, entry: dict[str, Any]) -> str:
    """Bring what an entry describes into the ledger and MLflow; says what the gate said of it."""
    store = ledger.store(project, case.name)
    with connection.opened(project) as mlflow:
        describe = _describer(mlflow)
        stale = kept.seal(store, describe)
        kept.keep(project, case, entry, store / entry["content"], describe)
        before = changes.begun(store, f"register {entry['content']}")
        state, verdict = ledger.enter(case, store, entry["content"], before)
        _show(project, case, state, mlflow, stale)
        changes.ended(store)
    return f"{case.name}: version {ledger.number(state)} {verdict}"


def follow(project: Project, case: Case, command: str, change: Callable[[], LedgerState]) -> LedgerState:
    """Let MLflow show the ledger as `change` leaves it, nobody else at work meanwhile; returns the ledger before.

    The same command, cut off anywhere, ends what it began.
    """
    store = ledger.store(project, case.name)
    with connection.opened(project) as mlflow:
        stale = kept.seal(store, _describer(mlflow))
        before, state = changes.carried_out(store, command, change)
        _show(project, case, state, mlflow, stale)
        changes.ended(store)
    return before


def _describer(mlflow: Any) -> kept.Describe:
    infer = mlflow.models.infer_signature

    def describe(place: Path, example: dict[str, Any] | None) -> None:
        if example:
            inputs, answers = (examples.frame_of(example[part]) for part in ("inputs", "answers"))
            write_json(place / "signature.json", sign(inputs, answers))
        mlflow_model.describe(place)

    def sign(inputs: Any, answers: Any) -> dict[str, Any]:
        """MLflow's own signature; a column with gaps, which it refuses to look at, may be left out."""
        signature = dict(infer(examples.without_gaps(inputs), answers).to_dict())
        if hasattr(inputs, "columns"):
            columns = [json.loads(infer(_filled(inputs[[name]])).to_dict()["inputs"])[0] for name in inputs]
            found = [column | {"required": bool(inputs[column["name"]].notna().all())} for column in columns]
            signature["inputs"] = json.dumps(found)
        return signature

    return describe


def _filled(column: Any) -> Any:
    """A column's rows but the gaps; whole numbers, which pandas keeps apart where gaps are, as MLflow has them."""
    rows = column.dropna()
    return rows.astype({name: "int64" for name, kind in rows.dtypes.items() if str(kind) == "Int64"})


def _show(project: Project, case: Case, state: LedgerState, mlflow: Any, stale: list[str]) -> None:
    """Make MLflow show the ledger: its versions in order, its aliases.

    What says that it is a record of ours and lies elsewhere is passed over, and so is what an older handbook showed of
    a record that is sealed since (`stale`), which is taken away.
    """
    client = mlflow.MlflowClient()
    known = client.search_registered_models(f"name = '{case.name}'")
    if known and _elsewhere(project, case, mlflow):  # before the experiment moves, or a kill would leave both
        client.delete_registered_model(case.name)
        known = []
    _experiment(project, case, mlflow)
    if not known:
        client.create_registered_model(case.name, description=_summary(case))
    for each in versions(case.name, mlflow):
        if each.tags.get(CONTENT) in stale:
            client.delete_model_version(case.name, each.version)
    shown: dict[str, str] = {}
    for each in versions(case.name, mlflow):
        if client.get_model_version_download_uri(case.name, each.version) == home(project, each, mlflow):
            shown.setdefault(each.tags.get(CONTENT, ""), str(each.version))
    for content in state["versions"]:
        if content not in shown:
            mlflow_run.take_away(case, content, mlflow)
            found = kept.sealed(ledger.store(project, case.name), state, content)
            key = ledger.training(found)["key"]
            shown[content] = mlflow_run.log(case, found, _live_run(case, key, mlflow), mlflow)
    aliases = client.get_registered_model(case.name).aliases
    for alias in ALIASES:
        if state.get(alias):
            client.set_registered_model_alias(case.name, alias, shown[state[alias]])
        elif alias in aliases:  # a rollback leaves no previous
            client.delete_registered_model_alias(case.name, alias)


def versions(name: str, mlflow: Any) -> list[Any]:
    """The versions of a registered model, the oldest first."""
    found = mlflow.MlflowClient().search_model_versions(f"name = '{name}'")
    return sorted(found, key=lambda each: int(each.version))


def home(project: Project, version: Any, mlflow: Any) -> str:
    """Where the files of a version must lie: among the models of its case's experiment, under its own id."""
    place = _kept_at(version.name, mlflow)
    if connection.uri(project) == connection.own_uri(project):
        place = _artifacts(project, version.name)  # whatever an experiment says that others may have made
    model = MODEL.fullmatch(version.source or "")
    return f"{place.rstrip('/')}/models/{model[1]}/artifacts" if model else ""


def _kept_at(name: str, mlflow: Any) -> str:
    """Where MLflow keeps the files of a case's experiment; nowhere, if there is none."""
    experiment = mlflow.get_experiment_by_name(name)
    return str(experiment.artifact_location) if experiment else ""


def _summary(case: Case) -> str:
    return (case.page.__doc__ or "").split("\n\n", 1)[0]


def _experiment(project: Project, case: Case, mlflow: Any) -> None:
    """The case's experiment; its artifacts lie under mlruns/, unless a server keeps them.

    Where the project's own database has it elsewhere, since the checkout was moved or somebody else made it, that one
    is put aside under another name.
    """
    place = None if connection.uri(project).startswith("http") else _artifacts(project, case.name)
    found = _elsewhere(project, case, mlflow)
    if found:
        mlflow.MlflowClient().rename_experiment(found.experiment_id, f"{case.name}, elsewhere ({found.experiment_id})")
        print(f"MLflow kept the files of {case.name} at {found.artifact_location}; it is shown again", file=sys.stderr)
    existing = mlflow.get_experiment_by_name(case.name)
    if existing is None:
        mlflow.create_experiment(case.name, artifact_location=place)
    elif existing.lifecycle_stage == "deleted":  # in MLflow's pages; its name stays taken
        mlflow.MlflowClient().restore_experiment(existing.experiment_id)
        print(f"MLflow's experiment {case.name} was deleted; it is restored", file=sys.stderr)
    mlflow.set_experiment(case.name)


def _elsewhere(project: Project, case: Case, mlflow: Any) -> Any:
    """The case's experiment, if the project's own database has its files elsewhere than here; else nothing."""
    found = mlflow.get_experiment_by_name(case.name)
    own = connection.uri(project) == connection.own_uri(project)
    return found if own and found and found.artifact_location != _artifacts(project, case.name) else None


def _artifacts(project: Project, name: str) -> str:
    return (project.mlruns / "artifacts" / name).as_uri()


def _live_run(case: Case, key: str, mlflow: Any) -> str | None:
    """The run that spoke while this training ran, if one did and has not been registered yet."""
    found = mlflow.search_runs(
        experiment_names=[case.name], filter_string=f"tags.`{TRAINING}` = '{key}'", output_format="list"
    )
    free = [run.info.run_id for run in found if CONTENT not in run.data.tags]
    return free[0] if free else None


def live(project: Project, case: Case, key: str) -> Callable[[dict[str, float]], None]:
    """A listener that shows each epoch in MLflow as it ends; `register` later completes the same run."""
    with connection.opened(project) as mlflow:
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
    with connection.opened(project) as mlflow:
        _experiment(project, replace(case, name=f"{case.name}-monitor"), mlflow)
        found = mlflow.search_runs(
            experiment_names=[f"{case.name}-monitor"],
            filter_string=f"tags.`{BATCH}` = '{record['sha256']}'",
            output_format="list",
        )
        if found and found[0].info.status == "FINISHED":
            return
        tags = {BATCH: record["sha256"], **{key: record[key] for key in ("outcome", "data", "dataset", "champion")}}
        if found:
            run_id = found[0].info.run_id
        else:  # with its tags in one step, or who is killed in between leaves a run that nobody ends
            home = mlflow.get_experiment_by_name(f"{case.name}-monitor").experiment_id
            run_id = mlflow.MlflowClient().create_run(home, tags=tags, run_name=record["batch"]).info.run_id
        with mlflow.start_run(run_id=run_id):
            mlflow.set_tags(tags)
            mlflow.log_metrics(mlflow_run.as_logged(_numbers_of(record)))
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
        "group": {f"{each['column']} {each['group']}": _of_group(each) for each in record.get("groups") or []},
    }


def _of_group(group: dict[str, Any]) -> dict[str, Any]:
    """A group's numbers but for their intervals, which stand in the record."""
    return {key: value for key, value in group.items() if key not in ("column", "group", "interval")}


def run_url(project: Project, name: str, server: str = "http://127.0.0.1:5000") -> str | None:
    """The page of a case's last registered run on an MLflow server, or None if there is none."""
    state = standings.opened(ledger.store(project, name))
    if not state or not state["versions"]:
        return None
    with connection.opened(project) as mlflow:
        runs = {each.tags.get(CONTENT): each.run_id for each in reversed(versions(name, mlflow))}
        experiment = mlflow.get_experiment_by_name(name)
    run = runs.get(state["challenger"])
    return f"{server}/#/experiments/{experiment.experiment_id}/runs/{run}" if run and experiment else None
