"""LitServe over the same record, for `serving.py`: `python peer.py FOLDER PORT`, in JSON as MLflow's server takes it.

It puts together what waits, as many requests as there are clients, without a delay of its own.
"""

import sys
import warnings
from itertools import pairwise
from typing import Any

import litserve
import numpy as np
from fastapi import Request


class Served(litserve.LitAPI):  # type: ignore[misc]
    """The page's own `predict`; a request is a batch of pictures."""

    def setup(self, device: str) -> None:
        import mlflow
        import torch

        warnings.simplefilter("ignore")
        torch.set_num_threads(1)
        model = mlflow.pyfunc.load_model(sys.argv[1]).unwrap_python_model()
        self.page, self.network = model.page, model.model

    def decode_request(self, request: Request) -> Any:
        return np.asarray(request["inputs"], dtype=np.uint8)

    def batch(self, inputs: list[Any]) -> Any:
        self.sizes = np.cumsum([len(each) for each in inputs])[:-1]
        return np.concatenate(inputs)

    def predict(self, x: Any) -> Any:
        return self.page.predict(self.network, x).to_dict("records")

    def unbatch(self, output: list[Any]) -> list[Any]:
        starts = [0, *self.sizes, len(output)]
        return [output[start:end] for start, end in pairwise(starts)]

    def encode_response(self, output: Any) -> Any:
        return {"predictions": output}


if __name__ == "__main__":
    api = Served(max_batch_size=16, batch_timeout=0, api_path="/invocations")
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1", port=int(sys.argv[2]), num_api_servers=1, log_level="error", generate_client_file=False
    )
