"""The base of all plugins: a name, a reference and strict parameters."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, cast


@dataclass(frozen=True)
class NamesFile:
    """Marks a parameter that names a file or a folder."""


FilePath = Annotated[str, NamesFile()]
"""The type of a parameter that names a file, a folder, ``published:NAME`` or ``hub:OWNER/NAME``.

The content is part of a result's identity, the place is not: in keys and tables a digest of the
content stands for the path. ``FilePath | None`` and ``tuple[FilePath, ...]`` are of this kind, too;
the empty string names nothing.
"""


class Plugin:
    """Base of every plugin class: a frozen dataclass whose fields are its YAML parameters.

    Class attributes are ``name``, as YAML calls it; ``reference``, the paper (authors, year, arXiv
    number, equation or algorithm); and ``bibtex``, the entries of what ``reference`` names.

    ``imports_code`` is True if a parameter names code of the user's that the plugin imports: its
    cells then run apart, as those of a stranger's plugin do. ``imports`` lists modules that are
    slow to import and needed at the first use only: the process from which those of strangers'
    cells are copied imports them beforehand.
    """

    name: ClassVar[str]
    reference: ClassVar[str]
    bibtex: ClassVar[str] = ""
    imports_code: ClassVar[bool] = False
    imports: ClassVar[tuple[str, ...]] = ()

    # Read by pydantic when a plugin is built from YAML: no unknown keys, no silent conversions.
    __pydantic_config__: ClassVar[dict[str, object]] = {
        "extra": "forbid",
        "strict": True,
        "arbitrary_types_allowed": True,
    }

    def contents(self) -> Mapping[str, str]:
        """Identities of ``FilePath`` parameters, by name, in the place of the host's own hashes.

        Each is a hash of what the plugin reads there (a part of a folder, say), or any text that
        changes with it and with nothing else; "" if it decides no number, or is what the
        parameter's default names. Of parameters not listed the host hashes the file or the folder.

        Raises:
            BenchError: it is missing or damaged.
        """
        return {}

    def fingerprint(self) -> str:
        """Hash of anything else that the plugin reads from outside of its package; "" for none.

        An example are files that no parameter names. It is part of the key of every result, beside
        the parameters, the files that these name, and the plugin's own code.

        Raises:
            BenchError: a file is missing or damaged.
        """
        return ""


@dataclass(frozen=True)
class Alias:
    """A name that another project gives to a plugin.

    Attributes:
        name: ``project:name``, such as `comfy:dpmpp_2m_sde`.
        plugin: the plugin's own name.
        params: the parameters that make it theirs.
        note: where theirs differs all the same, or "".
    """

    name: str
    plugin: str
    params: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


def file_parameters(cls: type[Plugin]) -> tuple[str, ...]:
    """The parameters of a plugin class that are of the type ``FilePath``."""
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except (NameError, TypeError, AttributeError):  # names that only a type checker has imported
        hints = {}
    return tuple(
        field.name
        for field in dataclasses.fields(cast(Any, cls))
        if _names_file(hints.get(field.name, field.type))
    )


def _names_file(hint: object) -> bool:
    if isinstance(hint, str):
        return "FilePath" in hint
    if isinstance(hint, NamesFile) or any(map(_names_file, getattr(hint, "__metadata__", ()))):
        return True
    return any(map(_names_file, typing.get_args(hint)))


def require(condition: bool, message: str) -> None:
    """Refuse a parameter out of range: raises ValueError(message) unless ``condition`` holds."""
    if not condition:
        raise ValueError(message)
