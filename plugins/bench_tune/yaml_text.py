"""Reads and writes YAML files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bench.extend import BenchError


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, in plain types.

    Raises:
        BenchError: there is no such file, or it is no YAML with a mapping at its top.
    """
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise BenchError(f"{path}: cannot be read ({reason}); check the path") from None
    except (YAMLError, ValueError, TypeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise BenchError(f"{path}: is not valid YAML: {reason}") from None
    if not isinstance(content, dict):
        raise BenchError(f"{path}: must be a mapping with `suites:`; see `bench tune --help`")
    return content


def write_yaml(path: Path, content: Mapping[str, Any], remarks: Sequence[str]) -> None:
    """Write a mapping below comments.

    Raises:
        BenchError: it cannot be written.
    """
    writer: Any = YAML(typ="safe", pure=True)
    text = io.StringIO()
    writer.default_flow_style = None
    writer.sort_base_mapping_type_on_output = False
    writer.width = 100
    writer.dump(dict(content), text)
    head = "".join(f"# {' '.join(line.split())}\n" for line in remarks)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise BenchError(
            f"{path}: cannot be written ({error.strerror}); choose another place"
        ) from None
