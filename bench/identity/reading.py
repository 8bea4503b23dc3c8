"""Reads the imports of a module from its source; runs nothing."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import resolve_name

IMPORTERS = frozenset(
    {"importlib.import_module", "importlib.__import__", "__import__", "builtins.__import__"}
)
"""Functions that import what their first argument names."""

READERS = frozenset(
    {
        *("importlib.resources.files", "importlib.resources.open_binary", "pkgutil.get_data"),
        *("importlib.resources.open_text", "importlib.resources.read_text"),
        *("importlib.resources.read_binary", "importlib.resources.path"),
    }
)
"""Functions that read data of the package that their first argument names."""

UNREADABLE = frozenset(
    {
        *("exec", "eval", "builtins.exec", "builtins.eval", "marshal.loads"),
        *("runpy.run_path", "runpy.run_module", "pkgutil.resolve_name", "pydoc.locate"),
        *("importlib.util.spec_from_file_location", "importlib.util.spec_from_loader"),
        *("importlib.util.module_from_spec", "importlib.machinery.SourceFileLoader"),
        *("importlib.machinery.SourcelessFileLoader", "importlib.machinery.ExtensionFileLoader"),
        *("importlib.metadata.entry_points", "zipimport.zipimporter", "imp.load_source"),
        *("pickle.load", "pickle.loads", "dill.load", "dill.loads", "joblib.load"),
        *("cloudpickle.load", "cloudpickle.loads", "hydra.utils.instantiate"),
        *("hydra.utils.get_class", "hydra.utils.get_method", "torch.hub.load"),
        *("torch.utils.cpp_extension.load", "torch.utils.cpp_extension.load_inline"),
        *("torch.ops.load_library", "torch.classes.load_library"),
        *("ctypes.CDLL", "ctypes.PyDLL", "ctypes.cdll.LoadLibrary", "ctypes.pydll.LoadLibrary"),
    }
)
"""Functions that run code which no import statement names."""

_PATHS = frozenset({"sys.path", "sys.meta_path", "sys.path_hooks", "site.addsitedir"})


def _rarest_part(name: str) -> str:
    """The part of a dotted name that other code mentions least."""
    common = {"torch", "builtins", "path", "load", "loads", "importlib"}
    return max(set(name.split(".")) - common, key=lambda part: (len(part), part))


_RARE = sorted({*map(_rarest_part, IMPORTERS | READERS | UNREADABLE | _PATHS), "trust_remote_code"})
_SUSPECT = re.compile(rb"\b(" + "|".join(_RARE).encode() + rb")\b")
"""Words that a source must hold somewhere to do any of this: most hold none."""


@dataclass(frozen=True)
class Imports:
    """The imports of one module, wherever they stand in it.

    Attributes:
        modules: names of modules that it imports.
        maybe: names that are modules or else attributes (``from x import y`` gives x.y).
        below: packages of which it imports a module that is chosen at run time.
        unreadable: what it runs that reading cannot follow, for people.
        moves_path: it mentions ``sys.path`` or the like.
    """

    modules: frozenset[str] = frozenset()
    maybe: frozenset[str] = frozenset()
    below: frozenset[str] = frozenset()
    unreadable: tuple[str, ...] = ()
    moves_path: bool = False


@lru_cache(maxsize=4096)
def imports_of(source: bytes, name: str, package: str) -> Imports:
    """The imports in ``source``, the module ``name`` of ``package`` ("" without one).

    A source without valid syntax imports nothing: it cannot be run either.
    """
    tree = _tree(source)
    if tree is None:
        return Imports()
    reader = _Reader(name, package)
    for statement in _statements(tree.body):
        reader.read_import(statement)
    if _SUSPECT.search(source):
        reader.read_uses(list(ast.walk(tree)))
    return Imports(
        frozenset(reader.modules),
        frozenset(reader.maybe),
        frozenset(reader.below),
        tuple(dict.fromkeys(reader.unreadable)),
        reader.moves_path,
    )


def _tree(source: bytes) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes and the like
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _statements(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """All statements, however deep; most nodes of a tree are expressions, which import nothing."""
    stack = list(body)
    while stack:
        node = stack.pop()
        yield node
        for field_ in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, field_, ())
            stack += inner if isinstance(inner, list) else ()


@dataclass
class _Reader:
    name: str
    package: str
    modules: set[str] = field(default_factory=set)
    maybe: set[str] = field(default_factory=set)
    below: set[str] = field(default_factory=set)
    unreadable: list[str] = field(default_factory=list)
    moves_path: bool = False
    names: dict[str, str] = field(default_factory=dict)  # local name -> what it was imported as

    def read_import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for item in node.names:
                self.modules.add(item.name)
                top = item.name.partition(".")[0]
                self.names[item.asname or top] = item.name if item.asname else top
        elif isinstance(node, ast.ImportFrom):
            base = _absolute("." * node.level + (node.module or ""), self.package)
            if base:
                self.modules.add(base)
                self.maybe |= {f"{base}.{item.name}" for item in node.names if item.name != "*"}
                self.names |= {i.asname or i.name: f"{base}.{i.name}" for i in node.names}

    def read_uses(self, nodes: Sequence[ast.AST]) -> None:
        """Look at every call and mention of a function that imports or runs code."""
        called: set[ast.AST] = set()
        for node in nodes:
            if isinstance(node, ast.Call):
                function = self._qualified(node.func)
                if function in IMPORTERS:
                    called.add(node.func)
                    self._read_call(node)
                if function in READERS and node.args:
                    name, whole = self._text(node.args[0])
                    self.modules |= {name} if whole and name else set()
                if any(k.arg == "trust_remote_code" and _true(k.value) for k in node.keywords):
                    self._doubt(node, "trust_remote_code")
            if node in called or not isinstance(node, ast.Name | ast.Attribute):
                continue
            known = self._qualified(node)
            if known in IMPORTERS or known in UNREADABLE:
                self._doubt(node, known)
            self.moves_path |= known in _PATHS

    def _read_call(self, node: ast.Call) -> None:
        first = node.args[0] if node.args else _keyword(node, "name")
        anchor = node.args[1] if len(node.args) > 1 else _keyword(node, "package")
        start, whole = self._text(first)
        if start.startswith("."):
            within = "" if whole or start.strip(".") else "."
            start = _absolute(start, self._text(anchor)[0]) + within
        if whole and start:
            self.modules.add(start)
        elif start.rpartition(".")[0]:
            self.below.add(start.rpartition(".")[0])
        else:
            self._doubt(node, self._qualified(node.func))

    def _text(self, node: ast.expr | None) -> tuple[str, bool]:
        """The known beginning of a string, and True if that is all of it."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value, True
        if isinstance(node, ast.Name) and node.id in ("__name__", "__package__"):
            return (self.name if node.id == "__name__" else self.package), True
        if isinstance(node, ast.FormattedValue) and node.format_spec is None:
            return self._text(node.value)
        parts: list[ast.expr] = []
        if isinstance(node, ast.JoinedStr):
            parts = node.values
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            parts = [node.left, node.right]
        text = ""
        for part in parts:
            piece, whole = self._text(part)
            text += piece
            if not whole:
                return text, False
        return text, bool(parts)

    def _qualified(self, node: ast.expr) -> str:
        """``a.b.c`` of a dotted expression, with what ``a`` was imported as; else ""."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            base = self._qualified(node.value)
            return f"{base}.{node.attr}" if base else ""
        return ""

    def _doubt(self, node: ast.AST, what: str) -> None:
        self.unreadable.append(f"{what} in line {getattr(node, 'lineno', 0)}")


def _absolute(name: str, package: str) -> str:
    """``name`` with its leading dots resolved against ``package``; "" beyond its top."""
    try:
        return resolve_name(name, package)
    except ImportError:
        return ""


def _keyword(node: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in node.keywords if k.arg == name), None)


def _true(node: ast.expr) -> bool:
    return not (isinstance(node, ast.Constant) and not node.value)


def packages_above(name: str) -> Iterator[str]:
    """The packages that hold the module ``name``, from the top, and the module itself."""
    parts = name.split(".")
    yield from (".".join(parts[: i + 1]) for i in range(len(parts)))
