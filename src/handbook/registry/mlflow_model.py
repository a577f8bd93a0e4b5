"""A registered record as the model directory that MLflow loads: which file of it lies where, and what MLflow adds.

Everything in that directory is a file of the record, byte for byte, so that what MLflow shows can be held against the
ledger, and what is served can be made from the ledger alone.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import yaml

from handbook.evaluation import examples
from handbook.files.integrity import Sealed
from handbook.registry import ledger
from handbook.registry.kept import EXTRA

REQUIREMENTS = (
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
)
CODE, MODEL, SERVED = "code", "artifacts/model", "served.py"
LOADERS = ("registry/served.py", "served.py")  # where the code of a registered model keeps it, today and before
EXAMPLE = "serving_input_example.json"
NO_TIME = "1980-01-01 00:00:00"  # the same record is the same file, whenever and wherever it was registered


def layout(content: Sealed) -> dict[str, str]:
    """The path in a record of each file of MLflow's model directory; HandbookError if it was kept without MLflow."""
    code = content.below("handbook")
    files = {
        **{f"{MODEL}/{path}": where for path, where in content.below("model").items()},
        **{f"{CODE}/handbook/{path}": where for path, where in code.items()},
        **content.below(EXTRA),
        SERVED: next(code[path] for path in LOADERS if path in code),
    }
    if "MLmodel" not in files:
        raise content.damaged(f"{content.place / EXTRA / 'MLmodel'} was never written down")
    return files


def describe(place: Path) -> None:
    """Write what MLflow wants beside a record's model and code: MLmodel, an example, and what to install.

    `mlflow.pyfunc.save_model` writes the same; but it runs the model's code, looks through all installed packages, and
    puts times and this machine's paths into MLmodel.
    """
    import mlflow.pyfunc
    from mlflow.models import Model, ModelSignature
    from mlflow.models.utils import _save_example
    from mlflow.utils.environment import _mlflow_conda_env, _PythonEnv

    extra, entry = place / EXTRA, ledger.read(place / "entry.json")
    extra.mkdir(exist_ok=True)
    signature = ModelSignature.from_dict(ledger.read(place / "signature.json"))
    model = Model(signature=signature, model_uuid=entry["content"], utc_time_created=NO_TIME)
    _save_example(model, examples.without_gaps(examples.frame_of(ledger.read(place / "example.json"))), str(extra))
    mlflow.pyfunc.add_to_model(
        model,
        loader_module="mlflow.pyfunc.loaders.code_model",
        code=CODE,
        conda_env="conda.yaml",
        python_env="python_env.yaml",
        model_config={"case": entry["case"], "page": entry["page"], "params": entry["params"]},
        model_code_path=SERVED,
        artifacts={"model": {"path": MODEL, "uri": MODEL}},
        streamable=False,
    )
    model.save(str(extra / "MLmodel"))
    needed = [f"{name}=={version(name).split('+')[0]}" for name in ("mlflow", *REQUIREMENTS)]
    (extra / "requirements.txt").write_text("\n".join(needed) + "\n")
    (extra / "conda.yaml").write_text(yaml.safe_dump(_mlflow_conda_env(additional_pip_deps=needed)))
    _PythonEnv.current().to_yaml(str(extra / "python_env.yaml"))
    (extra / "__pycache__").touch()  # beside served.py, as in every folder of code
