"""CLIP's archives: read without running their program, to torch-fidelity's own features."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch_fidelity.feature_extractor_clip import MODEL_URLS, CLIPVisual, FeatureExtractorCLIP

from bench.api import BenchError
from bench_plugins.fidelity.clip import build_clip
from bench_plugins.fidelity.kinds import EXTRACTORS
from bench_plugins.fidelity.torchscript import is_torchscript, read_torchscript
from bench_plugins.fidelity.weights import find_weights, read_state

# TorchScript as a whole is deprecated, and CLIP's files are still it.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
]
NAME = "clip-vit-b-32"


class _Whole(nn.Module):
    """What OpenAI's archives hold: the image encoder, and things beside it."""

    def __init__(self, visual: nn.Module, width: int) -> None:
        super().__init__()
        self.visual = visual
        self.transformer = nn.Linear(3, 3)
        self.text_projection = nn.Parameter(torch.randn(6, width))
        self.register_buffer("input_resolution", torch.tensor(32))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.visual(x)
        return found


_SIZES = {"transformer": (32, 32, 2, 128, 8), "resnet": (32, 64, (1, 1, 1, 1), 64, None)}


def _archive(path: Path, kind: str) -> Path:
    torch.manual_seed(0)
    visual = CLIPVisual(*_SIZES[kind]).eval().visual
    for name, buffer in visual.named_buffers():
        if "running" in name:
            buffer.uniform_(0.5, 1.5)
    x = torch.randn(1, 3, visual.input_resolution, visual.input_resolution)
    torch.jit.save(torch.jit.trace(_Whole(visual, visual.output_dim).eval(), x), path)
    return path


@pytest.fixture(params=list(_SIZES))
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A TorchScript archive with random weights, as small as CLIP's networks can be."""
    return _archive(tmp_path / "clip.pt", request.param)


@pytest.fixture
def transformer(tmp_path: Path) -> Path:
    return _archive(tmp_path / "clip.pt", "transformer")


def test_features_are_torch_fidelitys(archive: Path, photos: Callable[..., Tensor]) -> None:
    state = read_state(find_weights(EXTRACTORS[NAME].published, str(archive)))
    images = photos(5, 1, 40)
    (known,) = FeatureExtractorCLIP(NAME, ["clip"], str(archive)).eval()(images)
    (found,) = build_clip(NAME, state)(images)
    assert float(known.std()) > 1e-3
    assert torch.equal(found, known)


def test_tensors_are_those_of_torchs_own_loader(archive: Path) -> None:
    content = archive.read_bytes()
    known = torch.jit.load(archive).state_dict()
    found = read_torchscript(archive, content)
    assert is_torchscript(content)
    assert found.keys() == known.keys()
    assert all(torch.equal(found[name], known[name]) for name in known)


def test_weights_are_where_torch_fidelity_has_them() -> None:
    published = {name: kind.published.asset for name, kind in EXTRACTORS.items()}
    clip = {name: url for name, url in MODEL_URLS.items() if name.startswith("clip-")}
    assert {n: published[n].url for n in published if n.startswith("clip-")} == clip
    assert all(published[name].sha256 in url for name, url in clip.items())


def test_the_program_is_not_compiled_or_run(
    transformer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise AssertionError("the archive was loaded as a program")

    monkeypatch.setattr(torch.jit, "load", refuse)
    monkeypatch.setattr(torch._C, "import_ir_module", refuse)
    monkeypatch.setattr(torch._C, "import_ir_module_from_buffer", refuse)
    nonsense = _changed(transformer, "code/__torch__", b"this is no program")
    assert read_torchscript(tmp_path, nonsense).keys() >= {"text_projection", "visual.proj"}


class _Bomb:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.target,)


def test_code_in_the_pickle_is_not_run(transformer: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    hostile = _changed(transformer, "data.pkl", pickle.dumps({"visual": _Bomb(run)}))
    with pytest.raises(BenchError, match="nothing in it was run: it asks for"):
        read_torchscript(transformer, hostile)
    assert not run.exists()


@pytest.mark.parametrize(
    ("record", "message"),
    [("data/0", "another size or type than it claims"), ("data.pkl", "damaged")],
)
def test_a_cut_record_is_refused(record: str, message: str, transformer: Path) -> None:
    with pytest.raises(BenchError, match=message):
        read_torchscript(transformer, _changed(transformer, record, b"\x80\x02\x00\x00"))


def test_a_truncated_archive_is_refused(transformer: Path) -> None:
    content = transformer.read_bytes()[:-200]
    transformer.write_bytes(content)
    with pytest.raises(BenchError, match="is no plain PyTorch state dict"):
        read_state(find_weights(EXTRACTORS[NAME].published, str(transformer)))


def test_modules_in_a_ring_are_refused(transformer: Path) -> None:
    # A module that holds itself: c__torch__ M, (), NEWOBJ, its state {"again": itself}, BUILD.
    ring = b"\x80\x02c__torch__\nM\n)\x81q\x00}X\x05\x00\x00\x00againh\x00sb."
    with pytest.raises(BenchError, match="no tree"):
        read_torchscript(transformer, _changed(transformer, "data.pkl", ring))


def test_a_plain_state_dict_is_no_archive_of_torchscript(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(1)}, buffer)
    assert not is_torchscript(buffer.getvalue())
    assert not is_torchscript(b"PK\x03\x04 and no zip")


def _changed(path: Path, record: str, content: bytes) -> bytes:
    """The archive with the records whose name has ``record`` in it replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, content if record in name else old.read(name))
    return out.getvalue()
