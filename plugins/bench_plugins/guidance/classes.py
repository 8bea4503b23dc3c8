"""Classes that a guidance can turn towards."""

from __future__ import annotations

from bench.api import NO_CLASS, Given, UnsupportedError


def check_classes(given: Given) -> None:
    """Refuse samples of no class, which guidance has nothing to say of.

    Raises:
        UnsupportedError: the model was loaded for no class.
    """
    if given.labels_ is not None and bool((given.labels_ == NO_CLASS).any()):
        raise UnsupportedError("guidance needs classes; drop the model's label: -1")
