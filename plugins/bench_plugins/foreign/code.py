"""The user's function: found by its name, given what it takes, its errors in one line."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bench.api import BenchError, UnsupportedError, import_named

_NOT_THEIRS = (Path(__file__).parent, Path(torch.__file__).parent)
_KEYWORDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Code:
    """A function or a class by its import path.

    Attributes:
        path: `package.module:name`.
        target: the object of that name.
    """

    path: str
    target: Callable[..., Any]

    @staticmethod
    def load(path: str) -> Code:
        """Import it.

        Raises:
            BenchError: the import fails, or there is nothing of this name that can be called.
        """
        module, _, name = path.partition(":")
        try:
            target = getattr(import_named(module), name, None)
        except Exception as error:  # a stranger's code raises whatever it likes
            raise BenchError(
                f"function: '{module}' cannot be imported ({error}); install it, or run where it "
                "lies with PYTHONPATH=."
            ) from error
        if not callable(target):
            raise BenchError(f"function: '{path}' is no function or class")
        return Code(path, target)

    def takes(self, name: str) -> bool:
        """True if it has a parameter of this name."""
        return name in self._parameters()

    @property
    def rest(self) -> bool:
        """True if it takes any keyword."""
        return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in self._parameters().values())

    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        try:
            return inspect.signature(self.target).parameters
        except (TypeError, ValueError):  # compiled code
            return {}

    def check(self, params: Mapping[str, Any], positions: int, given: Mapping[str, Any]) -> None:
        """Refuse parameters that it does not take, or that it is given by the adapter.

        Args:
            params: the user's.
            positions: the number of positional arguments that the adapter gives.
            given: keywords that the adapter gives.

        Raises:
            UnsupportedError: names the parameter.
        """
        known = self._parameters()
        taken = {*list(known)[:positions], *given}
        for name in params:
            if name in taken:
                raise UnsupportedError(f"function: params may not set '{name}', which is given")
            if not self.rest and (name not in known or known[name].kind not in _KEYWORDS):
                own = ", ".join(x for x in known if x not in taken) or "none"
                raise UnsupportedError(
                    f"function: '{self.path}' has no parameter '{name}', only: {own}"
                )

    def call(self, *args: Any, **keywords: Any) -> Any:
        """Its answer.

        Raises:
            BenchError: it raised, and where.
        """
        return guard(self.path, lambda: self.target(*args, **keywords))


def guard(path: str, run: Callable[[], Any]) -> Any:
    """The answer of a stranger's code; whatever it raises becomes a BenchError."""
    try:
        return run()
    except BenchError:
        raise
    except Exception as error:
        text = " ".join(str(error).split())[:300]
        raise BenchError(
            f"function: '{path}' raises {type(error).__name__}: {text} ({_place(error)})"
        ) from error


def _place(error: BaseException) -> str:
    """The last line of the stranger's: of neither this package nor torch."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [f for f in frames if not any(map(Path(f.filename).is_relative_to, _NOT_THEIRS))]
    frame = (theirs or frames)[-1]
    return f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
