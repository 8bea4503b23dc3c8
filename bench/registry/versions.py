"""Refuses plugins that were made for another version of the host."""

from __future__ import annotations

from importlib import metadata

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from bench import project
from bench.core.errors import BenchError
from bench.project import __version__


def check_requirement(point: metadata.EntryPoint) -> None:
    """Refuse a distribution that was made for another version of the host, before its import.

    pip checks a requirement once; later installs may break it.
    """
    for text in (point.dist.requires if point.dist else None) or ():
        requirement = Requirement(text)
        ours = requirement.name.lower().replace("_", "-") == project.PROJECT
        relevant = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if ours and relevant and not requirement.specifier.contains(__version__, prereleases=True):
            raise BenchError(
                f"requires {project.PROJECT}{requirement.specifier}, and this is {__version__}; "
                "install a version of either that fits the other"
            )


def check_api(pin: object) -> None:
    """Refuse a module whose ``BENCH_API`` does not admit the host's plugin API."""
    try:
        fits = SpecifierSet(str(pin)).contains(project.API_VERSION)
    except InvalidSpecifier:
        raise BenchError(
            f"BENCH_API = {pin!r} is no version specifier; write one such as "
            f"'~={project.API_VERSION}'"
        ) from None
    if not fits:
        raise BenchError(
            f"is made for plugin API {pin}, and {project.PROJECT} {__version__} has "
            f"{project.API_VERSION}; install a version of either that fits the other"
        )
