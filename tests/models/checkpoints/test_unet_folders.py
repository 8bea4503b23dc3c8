"""The files of a diffusers folder: parts, variants, shards; and networks that cannot work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from bench.api import BenchError
from bench.cli import main as cli
from bench_plugins.checkpoints.diffusers_unet import DiffusersUnet

diffusers = pytest.importorskip("diffusers")

CPU = torch.device("cpu")
NAME = "diffusion_pytorch_model"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pipeline of a tiny network, as DDPMPipeline saves it."""
    torch.manual_seed(0)
    network = diffusers.UNet2DModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
    )
    network.save_pretrained(tmp_path / "unet")
    diffusers.DDPMScheduler().save_pretrained(tmp_path / "scheduler")
    _write(
        tmp_path / "model_index.json",
        {
            "_class_name": "DDPMPipeline",
            "unet": ["diffusers", "UNet2DModel"],
            "scheduler": ["diffusers", "DDPMScheduler"],
        },
    )
    return tmp_path


def _write(path: Path, record: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record), encoding="utf-8")


def _change(path: Path, **changes: object) -> None:
    _write(path, {**json.loads(path.read_text("utf-8")), **changes})


def _refused(folder: Path, message: str, **parameters: Any) -> None:
    model = DiffusersUnet(path=str(folder), **parameters)
    for asked in (model.contents, lambda: model.load(CPU, torch.float32)):
        with pytest.raises(BenchError, match=message) as caught:
            asked()
        assert "\n" not in str(caught.value)


def _denoised(folder: Path, **parameters: Any) -> torch.Tensor:
    loaded = DiffusersUnet(path=str(folder), **parameters).load(CPU, torch.float32)
    y = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return loaded.denoiser(y, torch.tensor(1.0))


@pytest.mark.parametrize("part", ["vqvae", "vae", "text_encoder", "low_res_scheduler", "mine"])
def test_a_further_part_is_refused_by_name(part: str, folder: Path) -> None:
    _change(folder / "model_index.json", _class_name="LDMPipeline", **{part: ["diffusers", "X"]})
    _refused(folder, f"has the part '{part}' in model_index.json")
    with pytest.raises(BenchError, match=part):
        DiffusersUnet.describe(str(folder))


def test_parts_that_are_not_there_are_no_parts(folder: Path) -> None:
    plain = _denoised(folder)
    _change(folder / "model_index.json", safety_checker=[None, None], movq=None, flag=False)
    torch.testing.assert_close(_denoised(folder), plain)


@pytest.mark.parametrize(
    ("file", "record"),
    [
        ("vqvae/config.json", {"_class_name": "VQModel"}),
        ("bert/config.json", {"model_type": "bert"}),
        ("tokenizer/tokenizer_config.json", {}),
    ],
)
def test_a_folder_of_a_further_part_is_refused_without_an_index(
    file: str, record: dict[str, Any], folder: Path
) -> None:
    (folder / "model_index.json").unlink()
    _denoised(folder)
    _write(folder / file, record)
    _refused(folder, f"in the folder {file.split('/')[0]}/")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"_class_name": "LDMPipeline"}, "_class_name: 'LDMPipeline'"),
        ({"_class_name": ["pipeline", "Mine"]}, "_class_name: .*Mine"),
        ({"unet": ["diffusers", "UNet2DConditionModel"]}, "unet: is .*UNet2DConditionModel"),
        ({"unet": ["mine", "UNet2DModel"]}, "unet: is .*mine"),
        ({"scheduler": ["diffusers", "DDIMScheduler"]}, "scheduler: is .*DDIMScheduler"),
    ],
)
def test_an_index_of_something_else_is_refused(
    changes: dict[str, Any], message: str, folder: Path
) -> None:
    _change(folder / "model_index.json", **changes)
    _refused(folder, message)


def test_the_index_is_part_of_the_identity(folder: Path) -> None:
    model = DiffusersUnet(path=str(folder))
    before = model.contents()
    _change(folder / "model_index.json", _name_or_path="elsewhere")
    assert model.contents() != before


def _variant(folder: Path, name: str = "fp16") -> Path:
    plain = folder / "unet" / f"{NAME}.safetensors"
    other = folder / "unet" / f"{NAME}.{name}.safetensors"
    save_file({k: (t * 0.5).half() for k, t in load_file(plain).items()}, other)
    return other


def test_a_variant_is_read_where_it_is_asked(folder: Path) -> None:
    plain = _denoised(folder)
    before = DiffusersUnet(path=str(folder)).contents()
    _variant(folder)
    torch.testing.assert_close(_denoised(folder), plain)  # of two the plain one
    assert DiffusersUnet(path=str(folder)).contents() == before
    halved = _denoised(folder, variant="fp16")
    assert not torch.allclose(halved, plain, atol=1e-3)
    network = diffusers.UNet2DModel.from_pretrained(folder / "unet", variant="fp16")
    assert DiffusersUnet(path=str(folder), variant="fp16").contents() != before
    (folder / "unet" / f"{NAME}.safetensors").unlink()
    _refused(folder, "is missing; there are weights of variant: fp16: set that")
    torch.testing.assert_close(_denoised(folder, variant="fp16"), halved)
    described = DiffusersUnet.describe(str(folder)) or {}
    assert described["weights"] == [f"{NAME}.fp16.safetensors"]
    assert described["variants"] == ["fp16"]
    assert described["parameters"] == sum(p.numel() for p in network.parameters())
    _refused(folder, "is missing; there are weights of variant: fp16", variant="bf16")


@pytest.fixture
def sharded(folder: Path) -> Path:
    """The same in shards, as save_pretrained makes them."""
    network = diffusers.UNet2DModel.from_pretrained(folder / "unet")
    (folder / "unet" / f"{NAME}.safetensors").unlink()
    network.save_pretrained(folder / "unet", max_shard_size="20KB")
    assert len(list((folder / "unet").glob("*.safetensors"))) > 2
    return folder


def test_shards_are_read(folder: Path, sharded: Path) -> None:
    index = sharded / "unet" / f"{NAME}.safetensors.index.json"
    total = sum(
        tensor.numel()
        for file in set(json.loads(index.read_text("utf-8"))["weight_map"].values())
        for tensor in load_file(index.parent / file).values()
    )
    described = DiffusersUnet.describe(str(sharded)) or {}
    assert described["parameters"] == total
    network = diffusers.UNet2DModel.from_pretrained(sharded / "unet").eval()
    found = _denoised(sharded)
    network.save_pretrained(sharded / "again" / "unet")
    diffusers.DDPMScheduler().save_pretrained(sharded / "again" / "scheduler")
    torch.testing.assert_close(found, _denoised(sharded / "again"))


def test_every_shard_is_part_of_the_identity(sharded: Path) -> None:
    model = DiffusersUnet(path=str(sharded))
    before, last = model.contents(), sorted((sharded / "unet").glob("*.safetensors"))[-1]
    save_file({k: t + 1 for k, t in load_file(last).items()}, last)
    assert model.contents() != before


def test_torn_and_missing_shards_are_refused_by_name(sharded: Path) -> None:
    index = sharded / "unet" / f"{NAME}.safetensors.index.json"
    last = sorted((sharded / "unet").glob("*.safetensors"))[-1]
    whole, told = last.read_bytes(), json.loads(index.read_text("utf-8"))
    last.write_bytes(whole[:-10])
    _refused(sharded, f"{last.name}: damaged")
    tensors = load_file(sorted((sharded / "unet").glob("*.safetensors"))[0])
    save_file(tensors, last)
    _refused(sharded, "do not agree on")
    last.unlink()
    _refused(sharded, f"{last.name}: is missing")
    last.write_bytes(whole)
    first = next(iter(told["weight_map"]))
    for bad in ("../other.safetensors", 3):
        _change(index, weight_map={**told["weight_map"], first: bad})
        _refused(sharded, "is no name of a file beside it")
    _change(index, weight_map={})
    _refused(sharded, "has no weight_map")
    _write(index, told)
    save_file(tensors, sharded / "unet" / f"{NAME}.safetensors")
    _refused(sharded, "lies beside")


def test_a_sharded_variant_is_read(folder: Path) -> None:
    plain = _denoised(folder)
    network = diffusers.UNet2DModel.from_pretrained(folder / "unet")
    network.save_pretrained(folder / "unet", max_shard_size="20KB", variant="bf16")
    torch.testing.assert_close(_denoised(folder, variant="bf16"), plain)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"sample_size": [28, 30]}, None),
        ({"sample_size": 7}, "sample_size"),
        ({"sample_size": [8, 9]}, "sample_size"),
        ({"sample_size": None}, "sample_size"),
        ({"in_channels": 6}, "out_channels"),
        ({"out_channels": 6}, "out_channels"),
        ({"out_channels": 1}, "out_channels"),
        ({"time_embedding_type": "learned", "num_train_timesteps": 1000}, "time_embedding_type"),
        ({"time_embedding_type": "fourier"}, "time_embedding_type"),
        ({"class_embed_type": "timestep"}, "class_embed_type"),
        ({"class_embed_type": "identity"}, "class_embed_type"),
        ({"num_class_embeds": 0}, "num_class_embeds"),
        ({"down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"]}, "down_block_types"),
        ({"up_block_types": ["SkipUpBlock2D", "UpBlock2D"]}, "up_block_types"),
        ({"up_block_types": ["UpBlock2D"]}, "up_block_types"),
        ({"block_out_channels": [8, 16, 16]}, "block_out_channels"),
        ({"norm_num_groups": 3}, "norm_num_groups"),
        ({"downsample_padding": 2}, "downsample_padding"),
        ({"act_fn": "tanh"}, "act_fn"),
        ({"_class_name": "UNet2DConditionModel"}, "_class_name"),
        ({"cross_attention_dim": 8}, "cross_attention_dim"),
    ],
)
def test_networks_that_cannot_work_are_refused_by_key(
    changes: dict[str, Any], key: str | None, folder: Path
) -> None:
    _change(folder / "unet" / "config.json", **changes)
    if key is None:
        assert DiffusersUnet(path=str(folder)).contents()
        return
    _refused(folder, rf"config\.json: (UNet2DModel: )?{key}\b")


def test_blocks_of_an_image_carried_along_have_three_channels(folder: Path) -> None:
    blocks = {
        "down_block_types": ["SkipDownBlock2D"] * 2,
        "up_block_types": ["SkipUpBlock2D"] * 2,
    }
    _change(folder / "unet" / "config.json", **blocks, in_channels=1, out_channels=1)
    _refused(folder, r"config\.json: in_channels")


def test_a_class_that_stands_for_none_needs_classes(folder: Path) -> None:
    with pytest.raises(BenchError, match="drop last_is_none"):
        DiffusersUnet(path=str(folder), last_is_none=True).load(CPU, torch.float32)


def test_the_dry_run_names_the_key(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _change(folder / "unet" / "config.json", sample_size=7)
    plan = folder / "plan.yaml"
    plan.write_text(
        f"suites: {{a: {{models: [{{name: diffusers_unet, path: '{folder}'}}], solvers: [ddim], "
        "nfe: [3], samples: 8, metrics: [rmse]}}\n",
        encoding="utf-8",
    )
    monkeypatch.setattr("sys.argv", ["bench", "run", str(plan), "--dry-run"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "config.json: sample_size 7: its 2 levels need sides that 2 divides" in said
