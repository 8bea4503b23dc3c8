"""Code that a parameter names: a factory of a model, say."""

from __future__ import annotations

import importlib
from types import ModuleType

from bench.core.errors import BenchError
from bench.identity.cache import CodeCache
from bench.identity.finding import find
from bench.identity.host import host_modules
from bench.identity.walk import identity_of


class UnknownCodeError(BenchError):
    """Not all files are known that some code rests on. The message says why."""


def code_identity(module: str, *, packages: bool = True) -> str:
    """sha256 over all files that the numbers of a module's code rest on. Nothing is run.

    For `fingerprint()` of a plugin with a parameter that names code, and for the names of what a
    plugin keeps in a cache. It covers the package of ``module`` with its data, and what that
    imports, as far as docs/protocol.md says.

    Args:
        module: dotted name.
        packages: whether packages are covered as a whole; else by those of their modules alone
            that ``module`` imports, without their `__init__`. That suffices for a cache of what is
            costly to compute again, where `__init__` only lists plugins.

    Raises:
        UnknownCodeError: these files cannot be told; leave it to the host, which says so and does
            not keep the results.
        BenchError: there is no such module.
    """
    if find(module) is None:
        raise BenchError(
            f"module '{module}' cannot be imported (there is none of this name); install it, or "
            "run where it lies with PYTHONPATH=."
        )
    found = identity_of([module], CodeCache(host_modules(), packages))
    if found.doubts:
        raise UnknownCodeError(found.doubt)
    return found.code


def import_named(module: str) -> ModuleType:
    """Import a module that a parameter names.

    A plugin that calls `importlib.import_module` with a name of run time rests on code that nobody
    can know beforehand, so its results are not kept. With this function it promises that
    `code_identity` of the name is part of its `fingerprint()`.
    """
    return importlib.import_module(module)
