"""What MLflow serves: a page's `predict` over a model kept as files. MLflow runs this file; nothing is pickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import numpy as np

from handbook import cases
from handbook.project import parse
from handbook.training.models import load


class Served(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """The model of a case, built from the files that lie beside it and the parameters that it was trained with."""

    def load_context(self, context: Any) -> None:
        settings = context.model_config
        self.page = cases.page(settings["page"])
        params = parse(self.page.Params, settings["params"], f"the registered model {settings['case']}")
        self.model = load(self.page, params, Path(context.artifacts["model"]))

    def predict(self, context: Any, model_input: np.ndarray, params: dict[str, Any] | None = None) -> Any:
        # A hint that MLflow makes no signature from, since ours is exact; a DataFrame comes in just as well.
        return self.page.predict(self.model, model_input)


mlflow.models.set_model(Served())
