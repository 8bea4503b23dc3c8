"""Stand-ins of pickled objects: a name, arguments and state, and no behaviour."""

from __future__ import annotations

from typing import Any

from bench.files.inert.refusal import Refused


class _Sealed(type):
    """A class that a pickle cannot change: BUILD would set attributes on it."""

    def __setattr__(cls, name: str, value: object) -> None:
        raise Refused(f"it changes the class '{cls.__name__}'")


class Object(metaclass=_Sealed):
    """An object that was pickled. Nothing of its class is imported or called.

    Attributes:
        kind: name of its class, as the file has it.
        args: what its constructor would have got.
        state: what would have become its attributes.
    """

    __slots__ = ("args", "kind", "state")

    kind: str
    args: tuple[object, ...]
    state: Any

    def __new__(cls, *args: object) -> Object:
        made = object.__new__(cls)
        made.kind, made.args, made.state = cls.__name__, args, {}
        return made

    def __setstate__(self, state: object) -> None:
        self.state = state

    def fields(self) -> dict[str, Any]:
        """The attributes that it had, by name.

        Raises:
            Refused: its state is no mapping of names.
        """
        if not isinstance(self.state, dict) or not all(isinstance(key, str) for key in self.state):
            raise Refused(f"the state of '{self.kind}' is no mapping of names")
        return self.state


class Dictionary(dict[Any, Any], metaclass=_Sealed):
    """A dictionary of a class of its own (EDM's EasyDict), read as a plain dictionary."""

    __slots__ = ()

    def __new__(cls, *args: object) -> Dictionary:
        return dict.__new__(cls)

    def __init__(self, *args: object) -> None:
        super().__init__()

    def __setstate__(self, state: object) -> None:
        """Attributes of a dictionary are of no use here."""


class Rule(metaclass=_Sealed):
    """A function that a pickle may call; it cannot be changed by BUILD."""

    __slots__ = ("_call", "_name")

    _call: Any
    _name: str

    def __init__(self, name: str, call: Any) -> None:
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_call", call)

    def __setattr__(self, name: str, value: object) -> None:
        raise Refused(f"it changes '{self._name}'")

    def __setstate__(self, state: object) -> None:
        raise Refused(f"it changes '{self._name}'")

    def __call__(self, *args: object) -> object:
        try:
            return self._call(*args)
        except Refused:
            raise
        except Exception as error:
            raise Refused(f"'{self._name}' has arguments that make no sense ({error})") from None


def object_class(kind: str) -> type[Object]:
    """The class of inert objects that stands for the class ``kind`` of a file."""
    made: type[Object] = _Sealed(kind, (Object,), {"__slots__": ()})  # type: ignore[assignment]
    return made
