"""Foreign files: what is read, and what is refused before anything of it could run."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import shutil
import struct
import subprocess
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bench.api import BenchError, inert
from bench_plugins.checkpoints.reading.modules import state_dict
from bench_plugins.checkpoints.reading.pickles import read_pickle
from bench_plugins.checkpoints.reading.safe_files import read_safetensors
from bench_plugins.checkpoints.reading.torch_files import read_torch


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function: Any, *args: object) -> None:
        self.call = (function, args)

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        return self.call


def _attacks(marker: Path) -> dict[str, object]:
    source = f"open({str(marker)!r}, 'w')"
    embedded = {"type": "class", "version": 6, "module_src": source, "class_name": "Net"}
    system = Call(os.system, f"touch {marker}")
    return {
        "os.system": system,
        "exec": Call(exec, source),
        "eval": Call(eval, source),
        "open": Call(open, str(marker), "w"),
        "subprocess": Call(subprocess.Popen, ["touch", str(marker)]),
        "getattr": Call(getattr, Call(__import__, "os"), "system"),
        "import": Call(__import__, "this"),
        "nested": {"ema": [OrderedDict(a=({"b": system},))]},
        "in a persistent object": Call(_persistence(), {**embedded, "state": {"x": system}}),
        "partial": Call(__import__("functools").partial, os.system, f"touch {marker}"),
        "shutil": Call(shutil.rmtree, str(marker.parent / "nothing")),
        "torch.load": Call(torch.load, io.BytesIO(pickle.dumps(system))),
        "apply": Call(map, os.system, [f"touch {marker}"]),
        "code": Call(types.SimpleNamespace),
        "bytes": Call(builtins.bytearray, 10**13),
    }


def _persistence() -> Any:
    """EDM's function by name, as its pickles refer to it."""
    module = types.ModuleType("torch_utils.persistence")

    def _reconstruct_persistent_obj(meta: object) -> None:
        raise AssertionError("was executed")

    _reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
    _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
    module.__dict__["_reconstruct_persistent_obj"] = _reconstruct_persistent_obj
    sys.modules["torch_utils"] = types.ModuleType("torch_utils")
    sys.modules["torch_utils.persistence"] = module
    return _reconstruct_persistent_obj


@pytest.fixture(autouse=True)
def _clean_modules() -> Iterator[None]:
    yield
    for name in ("torch_utils", "torch_utils.persistence", "dnnlib", "dnnlib.util"):
        sys.modules.pop(name, None)


ATTACKS = sorted(_attacks(Path("marker")))


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("attack", ATTACKS)
def test_pickles_that_run_code_are_refused(attack: str, protocol: int, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    path = tmp_path / "evil.pkl"
    path.write_bytes(_dumped(_attacks(marker)[attack], protocol))
    with pytest.raises(BenchError) as caught:
        read_pickle(path)
    assert "refused, and nothing in it was run: it asks for '" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not marker.exists()
    assert "this" not in sys.modules


def _dumped(attack: object, protocol: int) -> bytes:
    try:
        return pickle.dumps(attack, protocol)
    except TypeError:
        pytest.skip("not to be pickled so")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("attack", ["os.system", "exec", "eval", "open", "nested", "getattr"])
def test_torch_files_that_run_code_are_refused(attack: str, zipped: bool, tmp_path: Path) -> None:
    marker, path = tmp_path / "marker", tmp_path / "evil.pth"
    torch.save(
        {"model": torch.ones(2), "step": _attacks(marker)[attack]},
        path,
        _use_new_zipfile_serialization=zipped,
    )
    with pytest.raises(BenchError, match="refused, and nothing in it was run") as caught:
        read_torch(path)
    assert "\n" not in str(caught.value)
    assert not marker.exists()


def test_the_name_that_was_asked_for_is_told(tmp_path: Path) -> None:
    path = tmp_path / "evil.pkl"
    path.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(BenchError, match=r"asks for 'os\.system'"):
        read_pickle(path)
    path = tmp_path / "evil.pth"
    torch.save(Call(os.system, "true"), path)
    with pytest.raises(BenchError, match=r"posix\.system"):
        read_torch(path)


def test_embedded_source_is_dropped_and_not_run(tmp_path: Path) -> None:
    marker, path = tmp_path / "marker", tmp_path / "net.pkl"
    meta = {
        "type": "class",
        "version": 6,
        "module_src": f"open({str(marker)!r}, 'w')",
        "class_name": "Net",
        "state": {"_parameters": OrderedDict(weight=torch.arange(6.0).reshape(2, 3).mT)},
    }
    path.write_bytes(pickle.dumps({"ema": Call(_persistence(), meta)}))
    net = read_pickle(path)["ema"]
    assert isinstance(net, inert.Object)
    assert net.kind == "Net"
    assert torch.equal(state_dict(net)["weight"], torch.arange(6.0).reshape(2, 3).mT)
    assert not marker.exists()


def test_whole_modules_give_their_state_dict(tmp_path: Path) -> None:
    module = torch.nn.ModuleDict({"a": torch.nn.ModuleList([torch.nn.ModuleDict()])})
    module["a"].register_buffer("frequencies", torch.ones(3))
    path = tmp_path / "net.pkl"
    path.write_bytes(pickle.dumps(module))
    read = state_dict(read_pickle(path))
    assert list(read) == list(module.state_dict()) == ["a.frequencies"]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_are_read(protocol: int, tmp_path: Path) -> None:
    values = {
        "numbers": [1, 2.5, True, None, "text", b"bytes", {1, 2}, frozenset({3})],
        "scale": np.sqrt(0.5),
        "count": np.int64(7),
        "half": np.float32(0.5),
        "order": OrderedDict(b=1, a=(2, 3)),
        "weights": torch.randn(3, 4, generator=torch.Generator().manual_seed(0)),
        "parameter": torch.nn.Parameter(torch.ones(2), requires_grad=False),
    }
    path = tmp_path / "values.pkl"
    path.write_bytes(pickle.dumps(values, protocol))
    read = read_pickle(path)
    for name in ("numbers", "scale", "count", "half", "order"):
        assert read[name] == values[name]
    assert torch.equal(read["weights"], values["weights"])
    assert torch.equal(read["parameter"], torch.ones(2))


def test_arrays_stay_inert(tmp_path: Path) -> None:
    path = tmp_path / "array.pkl"
    path.write_bytes(pickle.dumps(np.arange(3), 4))
    assert isinstance(read_pickle(path), inert.Object)


def _tensor(size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> object:
    storage = torch.ones(4).__reduce_ex__(2)[1][0]
    return Call(torch._utils._rebuild_tensor_v2, storage, offset, size, stride, False, {})


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
@pytest.mark.parametrize(
    "build",
    [
        lambda: _tensor((10**12,), (1,)),
        lambda: _tensor((10**12,), (0,)),
        lambda: _tensor((4,), (1,), offset=1),
        lambda: _tensor((2, 2), (1,)),
        lambda: _tensor((-1,), (1,)),
        lambda: Call(torch._utils._rebuild_tensor_v2, [1.0], 0, (1,), (1,), False, {}),
        lambda: Call(torch.storage._load_from_bytes, b"none"),
        lambda: Call(torch.storage._load_from_bytes, _saved({"a": torch.ones(2)})),
        lambda: Call(torch.storage._load_from_bytes, _saved(Call(os.system, "true"))),
    ],
)
def test_tensors_that_lie_are_refused(build: Callable[[], object], tmp_path: Path) -> None:
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps(build()))
    with pytest.raises(BenchError, match="refused"):
        read_pickle(path)


def _saved(item: object) -> bytes:
    file = io.BytesIO()
    torch.save(item, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


@pytest.mark.parametrize(
    ("program", "message"),
    [
        # BUILD on something from the list would change it for the rest of the process.
        (b"ccollections\nOrderedDict\n}S'x'\nI1\nsb.", "it changes 'collections.OrderedDict'"),
        (b"cdnnlib.util\nEasyDict\nN}S'x'\nI1\ns\x86b.", "."),
        (b"ctorch.nn.modules.container\nModuleList\n}S'kind'\nI1\nsb.", "."),
        (b"I1\nr\xff\xff\xff\xff.", "memo"),
        (b"\x82\x01.", "registered extensions"),
        (b"Popen\n.", "outside of the file"),
        (b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7fabc.", "cut off"),
        (b"c__main__\nos.system\n(S'true'\ntR.", r"asks for '__main__\.os\.system'"),
        (b"ctorch.nn.modules.container\nModuleList.__init__\n.", r"asks for"),
        (b"(lp0\ng0\na", "cut off"),
        (b"", "cut off"),
        (b"not a pickle at all", "cut off"),
    ],
)
def test_hand_made_programs_are_refused(program: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "evil.pkl"
    path.write_bytes(program)
    with pytest.raises(BenchError, match=message) as caught:
        read_pickle(path)
    assert "\n" not in str(caught.value)


def test_classes_of_the_list_are_never_changed(tmp_path: Path) -> None:
    path = tmp_path / "evil.pkl"
    for name in ("dnnlib.util\nEasyDict", "torch.nn.modules.container\nModuleList"):
        path.write_bytes(b"c" + name.encode() + b"\nN}S'__setstate__'\nI1\ns\x86b.")
        with pytest.raises(BenchError):
            read_pickle(path)
    with pytest.raises(inert.Refused):
        inert.Object.kind = "other"
    assert callable(inert.Object.__setstate__)


def test_modules_that_are_no_tree_are_refused() -> None:
    inner = inert.Object()
    inner.state = {"_modules": {"a": inner}}
    with pytest.raises(inert.Refused, match="no tree"):
        state_dict(inner)
    for state in (None, {"_modules": []}, {"_parameters": {"a": 1}}, {"_modules": {"a": 1}}):
        inner.state = state
        with pytest.raises(inert.Refused):
            state_dict(inner)


def test_torch_archives_that_lie_are_refused(tmp_path: Path) -> None:
    good, path = tmp_path / "good.pth", tmp_path / "evil.pth"
    torch.save({"a": torch.zeros(100_000)}, good)
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for record in source.infolist():
            out.writestr(record.filename, source.read(record))
    with pytest.raises(BenchError, match="compressed"):
        read_torch(path)
    torch.save({"a": torch.zeros(1).expand(10**9)}, path)  # one number, a gigabyte of views
    with pytest.raises(BenchError, match="more entries than the file has bytes"):
        read_torch(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_files_that_are_cut_off_are_refused(zipped: bool, tmp_path: Path) -> None:
    path = tmp_path / "cut.pth"
    torch.save({"a": torch.ones(1000)}, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    assert torch.equal(read_torch(path)["a"], torch.ones(1000))
    for length in (0, 1, 10, len(whole) // 2, len(whole) - 100):
        path.write_bytes(whole[:length])
        with pytest.raises(BenchError, match="damaged") as caught:
            read_torch(path)
        assert "\n" not in str(caught.value)
    pickled = tmp_path / "cut.pkl"
    whole = pickle.dumps({"a": torch.ones(1000)})
    for length in (0, 1, 10, len(whole) // 2, len(whole) - 1):
        pickled.write_bytes(whole[:length])
        with pytest.raises(BenchError, match="damaged"):
            read_pickle(pickled)


def test_missing_files_say_what_to_do(tmp_path: Path) -> None:
    for read in (read_torch, read_pickle, read_safetensors):
        for path in (tmp_path / "none", tmp_path, Path("\0")):
            with pytest.raises(BenchError, match="cannot be read"):
                read(path)


def test_safetensors_carry_a_record(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(2)}, path, {"bench_checkpoints": '{"b": 1}'})
    tensors, record = read_safetensors(path)
    assert torch.equal(tensors["a"], torch.ones(2))
    assert record == {"b": 1}
    save_file({"a": torch.ones(2)}, path)
    assert read_safetensors(path)[1] == {}
    for text in ("[]", "{", "[" * 100_000):
        save_file({"a": torch.ones(2)}, path, {"bench_checkpoints": text})
        with pytest.raises(BenchError, match="damaged"):
            read_safetensors(path)
    header = b'{"a": {"dtype": "F8_E8M0", "shape": [1], "data_offsets": [0, 1]}}'
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"1")
    with pytest.raises(BenchError, match=r"damaged.* of type 'F8_E8M0', which is not known"):
        read_safetensors(path)
    path.write_bytes(struct.pack("<Q", 2**60) + b"{}")
    with pytest.raises(BenchError, match="damaged"):
        read_safetensors(path)
