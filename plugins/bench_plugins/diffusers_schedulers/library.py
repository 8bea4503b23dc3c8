"""The installed diffusers: its version and its scheduler classes, imported when one is used."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from bench.api import BenchError, UnsupportedError, first_line


def installed_version() -> str:
    """The version of diffusers, "" where there is none. Nothing is imported."""
    try:
        return metadata.version("diffusers")
    except metadata.PackageNotFoundError:
        return ""


def library() -> Any:
    """The module diffusers; raises UnsupportedError where it is not installed."""
    try:
        import diffusers
    except ImportError as error:
        raise UnsupportedError(
            f"diffusers cannot be imported ({first_line(error)}); pip install scorebench[diffusers]"
        ) from None
    return diffusers


def scheduler_class(name: str) -> Any:
    """diffusers' class ``name``.

    Raises:
        UnsupportedError: diffusers, or a package that the class needs, is not installed.
        BenchError: there is no such class.
    """
    found = getattr(library(), name, None)
    if found is None:
        raise BenchError(f"scheduler: diffusers {installed_version()} has no '{name}'")
    missing = getattr(found, "_backends", None)  # of the stand-ins for classes that need more
    if missing:
        absent = [package for package in missing if find_spec(package) is None] or missing
        raise UnsupportedError(f"diffusers' {name} needs {' and '.join(absent)}; pip install it")
    return found


def keywords(function: Any) -> frozenset[str]:
    """The names of the parameters of ``function``."""
    return frozenset(inspect.signature(function).parameters) - {"self"}


@contextmanager
def explain_errors(what: str) -> Iterator[None]:
    """Turn what diffusers raises in the block into a refusal in one line; its warnings are off."""
    logger = logging.getLogger("diffusers")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    except BenchError:
        raise
    except Exception as error:  # ValueError, NotImplementedError, AssertionError, IndexError, ...
        raise UnsupportedError(f"{what}: {type(error).__name__}: {first_line(error)}") from None
    finally:
        logger.setLevel(level)
