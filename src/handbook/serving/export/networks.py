"""Networks of torch as graphs: those that look at pictures by torch's own exporter, those on rows layer by layer."""

from __future__ import annotations

import copy
import io
import logging
import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from handbook.errors import HandbookError
from handbook.serving.export.graph import MANY, OPSET, Graph


class Calibrated(nn.Module):
    """Raw pictures (B, ...) of 0-255 in, probabilities (B, K) out: of the network's logits over its temperature."""

    def __init__(self, network: nn.Module, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature

    def forward(self, pictures: Tensor) -> Tensor:
        logits: Tensor = self.network(pictures).double()
        return (logits / self.temperature).softmax(dim=1)


def probabilities(graph: Graph, pictures: str, model: Any, shape: tuple[int, ...]) -> str:
    """Class probabilities (N, K) of pictures (N, *shape) of 0-255, as `recognition.probabilities` has them."""
    import onnx

    # Weights that lie channels last come out scrambled where the exporter folds batch normalisation into them
    own: Any = copy.deepcopy(model).cpu().eval().to(memory_format=torch.contiguous_format)
    calibrated = Calibrated(own, float(model.facts.get("temperature", 1.0)))
    out: Any = io.BytesIO()
    drawn = torch.zeros((2, *shape), dtype=torch.uint8)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # that there is a newer exporter, which needs one library more
        noisy = logging.getLogger("torch.onnx")
        before = noisy.level
        noisy.setLevel(logging.ERROR)
        try:
            torch.onnx.export(
                calibrated, (drawn,), out, input_names=["pictures"], output_names=["probabilities"],
                dynamic_axes={"pictures": {0: MANY}, "probabilities": {0: MANY}}, opset_version=OPSET, dynamo=False,
            )  # fmt: skip
        except (RuntimeError, ValueError, torch.onnx.errors.OnnxExporterError) as error:
            said = str(error).strip().splitlines()[0]
            raise HandbookError(f"torch has no graph for this network: {said}") from None
        finally:
            noisy.setLevel(before)
    return graph.adopt(onnx.load_from_string(out.getvalue()), {"pictures": pictures})[0]


def members(graph: Graph, rows: str, model: Any) -> str:
    """Log-odds (K, N, 1) of rows (N, D) by the K members of an ensemble, in single precision as they were trained."""

    def constant(value: Tensor) -> str:
        return graph.constant(value.detach().cpu().numpy())

    value = graph.cast(rows, np.float32)
    for layer in model.layers:
        wide = graph.add("Add", graph.add("MatMul", value, constant(layer.matrices())), constant(layer.bias))
        value = graph.add("Relu", wide)
    return graph.add("Add", graph.add("MatMul", value, constant(model.head)), constant(model.head_bias))
