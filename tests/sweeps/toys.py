"""Ranges to sweep over."""

from __future__ import annotations

from typing import Any

import yaml

from handbook.project import Project

RANGES = {"learning_rate": {"low": 0.001, "high": 0.05, "log": True}, "dropout": [0.0, 0.6], "hidden": {"choices": [[128, 128], [32]]}}  # fmt: skip  # noqa: E501


def asking(project: Project, name: str, block: Any) -> Project:
    """The project with this block under `sweeps:` for the case."""
    path = project.root / "params.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"sweeps": {name: block}}, sort_keys=False))
    return project
