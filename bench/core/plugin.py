"""The base of all plugins: a name, a reference and strict parameters."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, cast


@dataclass(frozen=True)
class NamesFile:
    """Marks a parameter that names a file or a folder."""


FilePath = Annotated[str, NamesFile()]
"""The type of a parameter that names a file, a folder, ``published:NAME`` or ``hub:OWNER/NAME``.

What stands there is part of a result's identity, where it stands is not: in keys and tables the
digest of its content takes the place of the path. ``FilePath | None`` and ``tuple[FilePath, ...]``
are of this kind, too; the empty string names nothing.
"""


class Plugin:
    """Base of every plugin class.

    A plugin is a frozen dataclass whose fields are its YAML parameters. ``name`` is what YAML
    calls it, ``reference`` the paper (authors, year, arXiv number, equation or algorithm),
    ``bibtex`` the BibTeX entries of what ``reference`` names.

    ``imports_code``: a parameter names code of the user's, which the plugin imports, so that its
    cells are treated as a stranger's. ``imports``: modules that are slow to import and come with
    the first use; processes for strangers' cells are copied from one that has them.
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
        """Identities of ``FilePath`` parameters, by name, where the plugin knows better.

        A hash of what the plugin reads there (of a part of a folder, say), or any text that changes
        with it and with nothing else; "" where the place decides no number, or what is there is the
        same as the parameter's default. For the others the host hashes the file, or the folder.

        Raises:
            BenchError: it is missing or damaged.
        """
        return {}

    def fingerprint(self) -> str:
        """Hash of anything else that the plugin reads from outside of its package; "" for none.

        Such as files that no parameter names. Part of the key of every result, beside the
        parameters, the files that these name, and the plugin's own code.

        Raises:
            BenchError: a file is missing or damaged.
        """
        return ""


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
