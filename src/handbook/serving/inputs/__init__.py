"""What people bring to a model: pictures, rows, prompts or seeds, read batch by batch, and every fault in them named.

A fault of one picture or row is reported beside the others; a fault of the whole (no such file, a column that is not
there) is a HandbookError before anything is predicted. Never more than a batch lies in memory. What is unlike all that
was learnt from is answered, with a note that says so. `predict` and `serve` read by the same functions.
"""

from handbook.serving.inputs.batch import Batch, Column, Fault, Form, is_there, legible
from handbook.serving.inputs.pixels import array, encoded, picture_files, pictures
from handbook.serving.inputs.prompts import SETTINGS, requested, requests, settled
from handbook.serving.inputs.rows import lines, rows
from handbook.serving.inputs.typed import frame

__all__ = [
    "SETTINGS",
    "Batch",
    "Column",
    "Fault",
    "Form",
    "array",
    "encoded",
    "frame",
    "is_there",
    "legible",
    "lines",
    "picture_files",
    "pictures",
    "requested",
    "requests",
    "rows",
    "settled",
]
