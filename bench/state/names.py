"""Names of modules and classes that numbers are computed with, and the objects they stand for."""

from __future__ import annotations

import inspect
import operator
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from typing import Any

from bench.project import GROUP, PROJECT

_LIBRARIES = (
    "builtins", "math", "random", "json", "hashlib", "itertools", "functools", "time", "struct",
    "torch", "torch.autograd", "torch.autograd.functional", "torch.fft", "torch.func",
    "torch.linalg", "torch.nn", "torch.nn.functional", "torch.nn.init", "torch.random",
    "torch.special", "torch.serialization", "torch.amp", "torch.cuda",
    "numpy", "numpy.fft", "numpy.linalg", "numpy.random", "numpy.ma",
    "scipy.integrate", "scipy.linalg", "scipy.optimize", "scipy.special", "scipy.stats",
    "torchdiffeq", "safetensors", "safetensors.torch", "PIL.Image",
)  # fmt: skip

_REBOUND = ("manual_seed",)
"""Names that torch binds anew itself, when it imports its compiler; the host seeds nothing."""

_ABSENT = object()


@dataclass(frozen=True)
class Names:
    """The names of one module or class, as they were.

    Attributes:
        label: of the owner, as people write it.
        owner: the module or class.
        before: a copy of its names, which keeps alive what they stood for.
        data: watch values that are no functions or classes, too.
        additions: count new names: in a class they override what it inherits.
    """

    label: str
    owner: Any
    before: Mapping[str, Any]
    data: bool
    additions: bool

    @staticmethod
    def of(label: str, owner: Any, data: bool) -> Names:
        """The names of ``owner`` now."""
        return Names(label, owner, dict(vars(owner)), data, isinstance(owner, type))

    def changed(self) -> list[str]:
        """The names that stand for something else now."""
        now = vars(self.owner)
        if len(now) == len(self.before) and all(
            map(operator.is_, now.values(), self.before.values())
        ):
            return []
        found = [name for name, value in self.before.items() if now.get(name, _ABSENT) is not value]
        if self.additions:
            found += [name for name in now if name not in self.before]
        return [name for name in found if self._counts(name)]

    def restore(self, name: str) -> bool:
        """Let ``name`` stand for what it stood for; False if it cannot."""
        try:
            if name in self.before:
                setattr(self.owner, name, self.before[name])
            else:
                delattr(self.owner, name)
        except (AttributeError, TypeError):
            return False
        return vars(self.owner).get(name, _ABSENT) is self.before.get(name, _ABSENT)

    def _counts(self, name: str) -> bool:
        if name in _REBOUND and self.label in ("torch", "torch.random"):
            return False
        values = self.before.get(name, _ABSENT), vars(self.owner).get(name, _ABSENT)
        if any(map(_has_code, values)):
            return True
        # Python and pydantic keep notes of their own under names with two underscores.
        return self.data and not name.startswith("__")


def _has_code(value: object) -> bool:
    return callable(value) or isinstance(value, property | staticmethod | classmethod)


def watched_names() -> Iterator[Names]:
    """The names of all modules and classes that are watched, now."""
    for module in _LIBRARIES:
        if module in sys.modules:
            yield Names.of(module, sys.modules[module], data=False)
    for label, cls in _library_classes():
        yield Names.of(label, cls, data=False)
    for label, owner in _own_modules(len(sys.modules)):
        yield Names.of(label, owner, data=True)


@lru_cache(maxsize=1)
def _library_classes() -> tuple[tuple[str, type], ...]:
    import random

    import torch
    from torch import nn

    layers = [
        cls for cls in vars(nn).values() if isinstance(cls, type) and issubclass(cls, nn.Module)
    ]
    single = [torch.Tensor, nn.Parameter, torch.autograd.Function, random.Random]
    return tuple((f"{cls.__module__}.{cls.__qualname__}", cls) for cls in (*single, *layers))


@lru_cache(maxsize=4)
def _own_modules(_count: int) -> tuple[tuple[str, Any], ...]:
    """The host's own modules and classes; found anew when more modules are there."""
    owners: list[tuple[str, Any]] = []
    packages = _packages()
    for name, module in tuple(sys.modules.items()):
        if name.partition(".")[0] in packages and inspect.ismodule(module):
            owners.append((name, module))
            owners += [
                (f"{name}.{cls.__qualname__}", cls)
                for cls in tuple(vars(module).values())
                if isinstance(cls, type) and cls.__module__ == name
            ]
    return tuple(owners)


@lru_cache(maxsize=1)
def _packages() -> frozenset[str]:
    """Names of the host's own packages."""
    points = metadata.entry_points(group=GROUP)
    own = {
        p.module.partition(".")[0] for p in points if p.dist and p.dist.metadata["Name"] == PROJECT
    }
    return frozenset({"bench", *own})
