"""Parameters of a plugin as a value that can be compared, hashed and sent to a process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces: equal content gives equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class Params(Mapping[str, Any]):
    """Parameters by name, in the plain types of JSON; equal where their JSON is (7 is not 7.0).

    Attributes:
        json: canonical JSON of all, as the columns of the results hold it.
    """

    json: str = "{}"

    @staticmethod
    def of(values: Mapping[str, Any]) -> Params:
        """The parameters that ``values`` are."""
        return Params(canonical(values))

    @cached_property
    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = json.loads(self.json)
        return values

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
