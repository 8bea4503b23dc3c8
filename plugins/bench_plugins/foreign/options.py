"""Parameters of a function of the user's, as a value that can be hashed."""

from __future__ import annotations

import json
from typing import Any


class Options(dict[str, Any]):
    """Keyword arguments in the plain types of JSON; nobody changes them once they are made."""

    def __hash__(self) -> int:  # type: ignore[override]  # a dict that stays as it is
        return hash(json.dumps(self, sort_keys=True))


def is_plain(value: object) -> bool:
    """True for finite numbers, strings, null, and lists and mappings of these."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
