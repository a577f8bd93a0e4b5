"""The description is valid OpenAPI, its page asks nothing of any other server, and nothing in it can be a script."""

from __future__ import annotations

import base64
import hashlib
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook.serving import bodies, description
from handbook.serving.bodies import Reader
from handbook.serving.limits import Limits

PICTURES = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28)
ROWS = pd.DataFrame({"age": [40], "job": ["</script><script>alert(1)</script>"]})


def described(kind: str, example: Any, title: str = "toy version 1") -> tuple[dict[str, Any], str]:
    reader = Reader(kind, (), None, {}, Limits.of(kind, {}))
    examples = description.examples_of(example, reader)
    found = description.openapi(SimpleNamespace(title=title, example=example), reader, examples)  # type: ignore[arg-type]
    return found, description.page(found, examples)


@pytest.mark.parametrize(("kind", "example"), [("pictures", PICTURES), ("rows", ROWS), ("latents", np.arange(3))])
def test_every_content_type_and_every_refusal_is_described_and_every_reference_leads_somewhere(
    kind: str, example: Any
) -> None:
    found, page = described(kind, example)
    operation = found["paths"]["/invocations"]["post"]
    assert set(operation["requestBody"]["content"]) == set(bodies.TAKEN[kind])
    assert set(operation["responses"]) == {"200", *description.REFUSALS}
    for reference in re.findall(r"'\$ref': '#/([\w/]+)'", str(found)):
        place: Any = found
        for key in reference.split("/"):
            place = place[key]
    for each in bodies.TAKEN[kind]:
        assert each in page


def test_the_page_loads_nothing_and_runs_its_own_script_alone() -> None:
    title = "<img src=x onerror=alert(1)>"
    _, page = described("rows", ROWS, title)
    assert not re.findall(r"(?:src|href)='?(?:https?:)?//", page)
    assert title not in page
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert scripts == [description.SCRIPT]
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in description.POLICY
    assert "default-src 'none'" in description.POLICY
