"""What MLflow holds of a case: the versions that say which record they are, and the files that would be loaded."""

from __future__ import annotations

import contextlib
import tempfile
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from handbook.files.integrity import hashes
from handbook.project import Project
from handbook.registry import connection, tracking
from handbook.registry.mlflow_run import CONTENT

NOTE = "registered_model_meta"  # left by MLflow's clients in a place that they load from


@dataclass(frozen=True)
class MlflowVersion:
    """A version in MLflow: its number, the record that it says it is, its place, and what would be loaded from it."""

    content: str
    version: str
    place: str
    ours: bool  # it lies where the case's experiment keeps its models
    metrics: dict[str, float]
    files: dict[str, str]  # sha256 by path; none where nothing is left, or where it is not ours to look at


def recorded(project: Project, name: str) -> tuple[list[MlflowVersion], dict[str, str]]:
    """What MLflow holds of a case, the oldest version first, and the version number of each alias."""
    with connection.opened(project) as mlflow:
        client = mlflow.MlflowClient()
        if not client.search_registered_models(f"name = '{name}'"):
            return [], {}
        found = [_described(project, each, mlflow) for each in tracking.versions(name, mlflow)]
        aliases = client.get_registered_model(name).aliases
        return found, {alias: str(version) for alias, version in aliases.items()}


def _described(project: Project, version: Any, mlflow: Any) -> MlflowVersion:
    """A version with its run's metrics and its files' sha256."""
    client, ours, place = mlflow.MlflowClient(), False, "nowhere"
    metrics: dict[str, float] = {}
    files: dict[str, str] = {}
    with contextlib.suppress(mlflow.exceptions.MlflowException, OSError):  # its run or its files are lost
        place = client.get_model_version_download_uri(version.name, version.version)
        ours = place == tracking.home(project, version, mlflow)
        metrics = dict(client.get_run(version.run_id).data.metrics)
        if ours:
            files = _files_at(place, version, mlflow)
    return MlflowVersion(version.tags.get(CONTENT, ""), str(version.version), place, ours, metrics, files)


def _files_at(place: str, version: Any, mlflow: Any) -> dict[str, str]:
    """The sha256 of the files of a version by path: where they lie, if that is on this machine, else of a copy."""
    if place.startswith("file:"):
        folder = Path(urllib.request.url2pathname(urllib.parse.urlparse(place).path))
        return _but_note(folder, hashes(folder), version)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(mlflow.artifacts.download_artifacts(place, dst_path=scratch))
        return _but_note(folder, hashes(folder), version)


def _but_note(folder: Path, found: dict[str, str], version: Any) -> dict[str, str]:
    """The files without MLflow's note, if it says what it should."""
    if len(found.get(NOTE, "")) == 64:  # a file, and no link
        with contextlib.suppress(ValueError, yaml.YAMLError):
            said = yaml.safe_load((folder / NOTE).read_text())
            if said in ({"model_name": version.name, "model_version": kind(version.version)} for kind in (int, str)):
                del found[NOTE]
    return found
