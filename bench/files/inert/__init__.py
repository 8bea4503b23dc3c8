"""Read pickled files without running anything in them.

A pickle is a program that names functions and calls them. A reader built from these parts
resolves every name to a stand-in that keeps its arguments (`Object`, `Dictionary`) or builds a
tensor within the bounds of the file (`Rule`), and refuses all other names (`Refused`).
"""

from bench.files.inert.objects import Dictionary, Object, Rule, object_class
from bench.files.inert.refusal import (
    Refused,
    damaged_error,
    first_cause,
    forbidden_error,
    guard_reading,
    read,
)
from bench.files.inert.tensors import (
    latin1,
    rebuild_parameter,
    rebuild_tensor,
    scalar,
    storage,
)

__all__ = [
    "Dictionary",
    "Object",
    "Refused",
    "Rule",
    "damaged_error",
    "first_cause",
    "forbidden_error",
    "guard_reading",
    "latin1",
    "object_class",
    "read",
    "rebuild_parameter",
    "rebuild_tensor",
    "scalar",
    "storage",
]
