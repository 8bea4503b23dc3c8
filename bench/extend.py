"""What authors of commands and figures import: nothing here loads torch.

Solvers, models and metrics import `bench.api` instead.
"""

from bench.core.errors import BenchError
from bench.extensions.command import Command
from bench.extensions.figure import Figure
from bench.project import hookimpl

__all__ = ["BenchError", "Command", "Figure", "hookimpl"]
