"""Models that are quickly made, each behind the application that serves it and as MLflow would have loaded it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pandas as pd
import torch

from handbook.evaluation import examples
from handbook.project import Case, Project
from handbook.serving import service
from handbook.serving.service import Service
from tests.conftest import ROOT

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

KINDS = {"pictures": "lenet", "rows": "boosting", "prompts": "char_lstm", "latents": "gan_conditional"}
Toy = tuple[Case, Any, Any]  # a case, a model and an example of what it takes


def drawn() -> Toy:
    """LeNet as it is before training, and pictures with a frame of ground."""
    case = Project(ROOT).case("lenet")
    torch.manual_seed(0)
    model = case.page.Model(case.params, classes=[f"c{k}" for k in range(10)], centre=0.3, spread=0.3)
    pictures = np.zeros((3, 28, 28), np.uint8)
    pictures[:, 6:22, 6:22] = np.random.default_rng(0).integers(0, 256, (3, 16, 16))
    pictures[:, 10, 10] = 255
    return case, model.eval(), pictures


def written() -> Toy:
    """A small untrained network that writes."""
    case = Project(ROOT).case("char_lstm")
    torch.manual_seed(0)
    model = case.page.Model(dataclasses.replace(case.params, hidden_size=8, embedding=4), alphabet="\n abcdefgh{}[")
    settings = {"length": [6.0, None], "temperature": [0.5, None], "top_k": [5.0, None], "top_p": [0.9, None]}
    return case, model.eval(), pd.DataFrame({"prompt": ["a bad", "deaf"], **settings, "seed": [1.0, None]})


def painted() -> Toy:
    """An untrained generator of digits."""
    case = Project(ROOT).case("gan_conditional")
    torch.manual_seed(0)
    example = pd.DataFrame({"seed": pd.array([0, 1], dtype="Int64"), "latent": [None, None]}).assign(label=[7, 3])
    example = pd.concat([example, pd.DataFrame({"latent": [[0.5] * case.params.latent], "label": [4]})])
    return case, case.page.Model(case.params, classes=10).eval(), example.reset_index(drop=True)


MAKERS: dict[str, Callable[[], Toy]] = {"pictures": drawn, "prompts": written, "latents": painted}


def loaded(case: Case, model: Any, example: Any) -> PyFuncModel:
    """What `mlflow.pyfunc.load_model` would give for a registered record of it."""
    from mlflow.models import Model, infer_signature
    from mlflow.pyfunc import PyFuncModel

    class Served:
        python_model = SimpleNamespace(page=case.page, model=model)

        def predict(self, data: Any, params: Any = None) -> Any:
            return case.page.predict(model, data)

    signature = infer_signature(example, case.page.predict(model, examples.without_gaps(example)))
    return PyFuncModel(Model(signature=signature, flavors={"python_function": {}}), Served())


def placed(case: Case, example: Any, place: Path) -> Path:
    """The folder that an application reads what else it must know from."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "entry.json").write_text(json.dumps({"case": case.name, "dataset": case.dataset}))
    (place / "example.json").write_text(json.dumps(examples.plain_of(example)))
    return place


def application(place: Path, case: Case, model: Any, example: Any, **options: Any) -> tuple[Service, PyFuncModel]:
    """The application for a model, and what MLflow's scoring server would be given."""
    known = loaded(case, model, example)
    return service.application(known, placed(case, example, place), f"{case.name} version 1", options), known


def posted(app: Any, *requests: tuple[str, bytes]) -> list[httpx.Response]:
    """The answers to requests, each a content type and a body, that are sent at the same time."""

    async def send() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://toy") as client:
            sent = (
                client.post("/invocations", content=body, headers={"content-type": kind}) for kind, body in requests
            )
            return list(await asyncio.gather(*sent))

    return asyncio.run(send())


def fetched(app: Any, path: str, method: str = "GET") -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://toy") as client:
            return await client.request(method, path)

    return asyncio.run(send())
