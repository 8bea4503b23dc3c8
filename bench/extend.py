"""The contracts of commands and figures, for those who write them; nothing here loads torch.

Solvers, models and metrics import `bench.api` instead.
"""

from bench.core.errors import BenchError
from bench.extensions.command import Command
from bench.extensions.data import OVERALL, CommonProblems, RunData, SubjectData
from bench.extensions.figure import (
    Canvas,
    CurvePart,
    CurveStyle,
    Figure,
    RunFigure,
    SubjectFigure,
    View,
)
from bench.project import hookimpl

__all__ = [
    "OVERALL",
    "BenchError",
    "Canvas",
    "Command",
    "CommonProblems",
    "CurvePart",
    "CurveStyle",
    "Figure",
    "RunData",
    "RunFigure",
    "SubjectData",
    "SubjectFigure",
    "View",
    "hookimpl",
]
