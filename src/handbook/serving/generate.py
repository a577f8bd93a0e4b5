"""Let a trained text model write on from a prompt."""

from __future__ import annotations

import math
from typing import Any

from handbook import contract
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.registry import trained
from handbook.steps.given import trained_model


def generate(project: Project, name: str, request: dict[str, Any]) -> None:
    """Print what a trained text model writes: `asked` holds the prompt and any of the settings of `texts.Request`."""
    import pandas as pd

    case = project.case(name)
    if contract.case(case.page).input != "prompts":
        raise HandbookError(f"{name} writes no text: generate needs a case of the page char_lstm")
    for key, value in request.items():
        if isinstance(value, float) and math.isnan(value):  # which in a table is a setting that was left out
            raise HandbookError(f"{key} must be a number, found {value}")
    trained.check(project, name)
    model = trained_model(project, case)
    try:
        print(case.page.predict(model, pd.DataFrame([request]))["text"].iloc[0])
    except ValueError as error:
        raise HandbookError(str(error)) from None
