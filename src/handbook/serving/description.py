"""What a server says of itself: an OpenAPI description, a page that needs no network, and examples that work."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handbook.evaluation.examples import without_gaps
from handbook.serving import bodies
from handbook.serving.bodies import Reader
from handbook.serving.choice import Chosen

BOUNDARY = "handbook-example"
FILES = {
    bodies.JSON: "inputs.json",
    bodies.CSV: "rows.csv",
    bodies.ARROW: "rows.arrow",
    bodies.NPY: "pictures.npy",
    bodies.PNG: "picture.png",
    bodies.JPEG: "picture.jpeg",
    bodies.PARTS: "form",
}
REFUSALS = {
    "400": "an input is at fault, each named under `faults`; or the whole cannot be read",
    "408": "the request did not arrive in time",
    "413": "more than a limit allows",
    "415": "a content type that this model does not take",
    "500": "a fault of the server; its log says more",
    "503": "too many requests at a time",
    "504": "the answer took too long",
}


@dataclass(frozen=True)
class Example:
    """A request that works: its content type, its body, and the name that it can be fetched by, below /examples."""

    kind: str
    body: bytes

    @property
    def name(self) -> str:
        return FILES[self.kind.partition(";")[0]]

    def answer(self) -> tuple[int, bytes, bytes]:
        """The body as an answer of the server."""
        return 200, self.kind.encode(), self.body


def version() -> str:
    """MLflow's, as its scoring server gives it."""
    from mlflow.version import VERSION

    return str(VERSION)


def examples_of(example: Any, reader: Reader) -> list[Example]:
    """A request in each content type that a model takes, from the inputs that were kept with it."""
    if reader.kind == "pictures":
        return _pictures(example)
    if not hasattr(example, "columns"):
        return [Example(bodies.JSON, json.dumps({"inputs": example.tolist()}).encode())]
    rows = without_gaps(example)
    split = rows.to_dict("split")
    content = {"dataframe_split": {"columns": split["columns"], "data": split["data"]}}
    found = [Example(bodies.JSON, json.dumps(content).encode())]
    if reader.kind == "rows":
        found += [Example(bodies.CSV, rows.to_csv(index=False).encode()), Example(bodies.ARROW, _stream(rows))]
    return found


def _pictures(pictures: Any) -> list[Example]:
    import numpy as np

    raw = io.BytesIO()
    np.save(raw, pictures)
    png, jpeg = (_encoded(pictures[0], form) for form in ("PNG", "JPEG"))
    form = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="pictures"; filename="{k}.png"\r\n'
        "Content-Type: image/png\r\n\r\n".encode()
        + _encoded(each, "PNG")
        + b"\r\n"
        for k, each in enumerate(pictures, 1)
    )
    return [
        Example(bodies.JSON, json.dumps({"inputs": pictures.tolist()}).encode()),
        Example(bodies.NPY, raw.getvalue()),
        Example(bodies.PNG, png),
        Example(bodies.JPEG, jpeg),
        Example(f"{bodies.PARTS}; boundary={BOUNDARY}", form + f"--{BOUNDARY}--\r\n".encode()),
    ]


def _encoded(pixels: Any, form: str) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form)
    return out.getvalue()


def _stream(rows: Any) -> bytes:
    import pyarrow as pa

    out, table = io.BytesIO(), pa.Table.from_pandas(rows, preserve_index=False)
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def openapi(chosen: Chosen, reader: Reader, examples: Sequence[Example]) -> dict[str, Any]:
    """The description of a server, as OpenAPI 3.1 wants it."""
    content = {each.kind.partition(";")[0]: _content(each) for each in examples}
    refusal = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    invocations = {
        "summary": f"Predict {reader.kind}",
        "operationId": "invocations",
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": {"description": "an answer for each input", "content": _answer()},
            **{status: {"description": text, "content": refusal} for status, text in REFUSALS.items()},
        },
    }
    limits = "".join(f"\n- at most {text}" for text in reader.limits.stated(reader.kind).values())
    pages = {
        "/ping": "whether it answers",
        "/health": "the same",
        "/version": "the version of MLflow",
        "/metrics": "counters for Prometheus",
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": chosen.title,
            "version": version(),
            "description": f"Answers for {chosen.title}, in the protocol of MLflow's scoring server. Limits:\n{limits}",
        },
        "paths": {
            "/invocations": {"post": invocations},
            **{
                path: {"get": {"summary": text, "responses": {"200": {"description": text}}}}
                for path, text in pages.items()
            },
        },
        "components": {"schemas": {"Refusal": _refusal()}},
    }


def _content(example: Example) -> dict[str, Any]:
    kind = example.kind.partition(";")[0]
    if kind == bodies.JSON:
        one = {"required": [form for form in bodies.FORMS if form.encode() in example.body]}
        schema = {"type": "object", "oneOf": [{"required": [form]} for form in bodies.FORMS]}
        return {"schema": schema | {"description": f"as {one['required'][0]}, or any other of these"},
                "example": json.loads(example.body)}  # fmt: skip
    if kind == bodies.CSV:
        return {"schema": {"type": "string"}, "example": example.body.decode()}
    if kind == bodies.PARTS:
        files = {"type": "array", "items": {"type": "string", "contentMediaType": "image/png"}}
        return {"schema": {"type": "object", "properties": {"pictures": files}}}
    # a body of bytes has no schema in OpenAPI 3.1; where one that works is to be found, it can say
    return {"schema": {"description": f"bytes; GET /examples/{example.name} gives some"}}


def _answer() -> dict[str, Any]:
    notes = {
        "type": "array",
        "items": {"type": "string"},
        "description": "what makes each answer doubtful, '': nothing",
    }
    schema = {
        "type": "object",
        "required": ["predictions"],
        "properties": {"predictions": {"type": "array"}, "notes": notes},
    }
    return {"application/json": {"schema": schema}}


def _refusal() -> dict[str, Any]:
    text = {"type": "string"}
    fault = {"type": "object", "properties": {"name": text, "column": text, "problem": text}}
    return {
        "type": "object",
        "required": ["error_code", "message"],
        "properties": {"error_code": text, "message": text, "faults": {"type": "array", "items": fault}},
    }


STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}
pre,textarea{font:13px/1.4 ui-monospace,monospace;width:100%;box-sizing:border-box;white-space:pre-wrap;
overflow-wrap:anywhere;max-height:20rem;overflow:auto;background:#f5f5f5;padding:.5rem;border:1px solid #ccc}
textarea{height:10rem}@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}
pre,textarea{background:#222;color:#ddd}a{color:#8bf}}"""
SCRIPT = """const button = document.querySelector('button'), given = document.querySelector('textarea')
button.addEventListener('click', async () => {
  const file = document.querySelector('input').files[0]
  const kind = document.querySelector('select').value
  const body = file || given.value
  const answer = await fetch('invocations', {method: 'POST', headers: {'Content-Type': kind}, body})
  document.querySelector('output').textContent = answer.status + '\\n' + await answer.text()
})"""


def _fingerprint(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


POLICY = (  # the page's own style and script, and requests to this server: nothing else
    f"default-src 'none'; style-src {_fingerprint(STYLE)}; script-src {_fingerprint(SCRIPT)}; "
    "connect-src 'self'; frame-ancestors 'none'"
)


def page(described: dict[str, Any], examples: Sequence[Example]) -> str:
    """The description as a page, with a form to try it in."""
    operation = described["paths"]["/invocations"]["post"]
    lines = "".join(f"<li>{html.escape(line[2:])}</li>" for line in _limits(described))
    kinds = [each.kind.partition(";")[0] for each in examples]
    options = "".join(f"<option>{html.escape(kind)}</option>" for kind in kinds if kind != bodies.PARTS)
    tries = "".join(
        f"<h3>{html.escape(kind)}</h3><pre>{html.escape(_line(each, kind))}</pre>"
        f"<p><a href='examples/{each.name}'>examples/{each.name}</a></p>"
        for kind, each in zip(kinds, examples, strict=True)
    )
    refusals = "".join(
        f"<li>{status}: {html.escape(each['description'])}</li>" for status, each in operation["responses"].items()
    )
    first = html.escape(examples[0].body.decode())
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{html.escape(described['info']['title'])}</title>"
        f"<style>{STYLE}</style><h1>{html.escape(described['info']['title'])}</h1>"
        f"<p>POST /invocations: {html.escape(operation['summary'])}, in the protocol of MLflow's scoring server. "
        "<a href='openapi.json'>openapi.json</a> has the same for programs, <a href='metrics'>metrics</a> the "
        f"counters.</p><h2>Try it</h2><p><select>{options}</select> a file <input type='file'> or</p>"
        f"<textarea>{first}</textarea><p><button>Predict</button></p><pre><output></output></pre>"
        f"<h2>On the command line</h2>{tries}<h2>At most</h2><ul>{lines}</ul><h2>Answers</h2><ul>{refusals}</ul>"
        f"<script>{SCRIPT}</script></html>"
    )


def _limits(described: dict[str, Any]) -> list[str]:
    return [line for line in described["info"]["description"].splitlines() if line.startswith("- ")]


def _line(example: Example, kind: str) -> str:
    """A command that sends the example."""
    if kind == bodies.PARTS:
        return "curl $SERVER/invocations -F pictures=@1.png -F pictures=@2.png"
    return (
        f"curl $SERVER/examples/{example.name} -o {example.name}\n"
        f"curl $SERVER/invocations -H 'Content-Type: {kind}' --data-binary @{example.name}"
    )
