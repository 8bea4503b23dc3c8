"""What all plugins have in common: a name, a reference and strict parameters."""

from __future__ import annotations

from typing import ClassVar


class Plugin:
    """Base of every plugin class.

    A plugin is a frozen dataclass whose fields are its YAML parameters. ``name`` is what YAML
    calls it, ``reference`` the paper (authors, year, arXiv number, equation or algorithm).
    ``imports_code`` says that a parameter names code of the user's, which the plugin imports: its
    cells are treated as a stranger's. ``imports`` names modules that are slow to import and come
    with the first use: processes for strangers' cells are copied from one that has them (those of
    the host's own plugins).
    """

    name: ClassVar[str]
    reference: ClassVar[str]
    imports_code: ClassVar[bool] = False
    imports: ClassVar[tuple[str, ...]] = ()

    # Read by pydantic when a plugin is built from YAML: no unknown keys, no silent conversions.
    __pydantic_config__: ClassVar[dict[str, object]] = {
        "extra": "forbid",
        "strict": True,
        "arbitrary_types_allowed": True,
    }


def require(condition: bool, message: str) -> None:
    """Refuse a parameter out of range: raises ValueError(message) unless ``condition`` holds."""
    if not condition:
        raise ValueError(message)
