"""The model plugin of diffusers' networks, against diffusers' own schedulers."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.api import NO_CLASS, BenchError, Conditional
from bench.files.contents import contents
from bench_plugins.checkpoints.diffusers_unet import DiffusersUnet

diffusers = pytest.importorskip("diffusers")

CPU = torch.device("cpu")


def _folder(path: Path, scheduler: dict[str, Any] | None = None, **config: Any) -> Any:
    torch.manual_seed(0)
    network = diffusers.UNet2DModel(
        **{
            "sample_size": 8,
            "block_out_channels": (8, 16),
            "layers_per_block": 1,
            "norm_num_groups": 4,
            "attention_head_dim": 8,
            "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
            "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
            **config,
        }
    ).eval()
    network.save_pretrained(path / "unet")
    diffusers.DDPMScheduler(**(scheduler or {})).save_pretrained(path / "scheduler")
    return network


def _x() -> Tensor:
    return torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction"])
@pytest.mark.parametrize("schedule", ["linear", "scaled_linear", "squaredcos_cap_v2"])
@pytest.mark.parametrize("label", [0, 500, 990])
def test_denoised_samples_are_those_of_the_scheduler(
    kind: str, schedule: str, label: int, tmp_path: Path
) -> None:
    network = _folder(tmp_path, {"prediction_type": kind, "beta_schedule": schedule})
    ddim = diffusers.DDIMScheduler(prediction_type=kind, beta_schedule=schedule, clip_sample=False)
    ddim.set_timesteps(1000)
    loaded = DiffusersUnet(path=str(tmp_path)).load(CPU, torch.float32)
    alpha2 = (1 - ddim.betas.double()).cumprod(0)[label]
    alpha, sigma = alpha2.sqrt(), (1 - alpha2).sqrt()
    x = _x()
    with torch.no_grad():
        expected = ddim.step(network(x, label).sample, label, x).pred_original_sample
        y, s = x / alpha.float(), (sigma / alpha).float()
        found = loaded.alike()(y, s)
        rows = loaded.alike()(y, s.expand(2))
    assert loaded.s_min <= float(s) * (1 + 1e-6)
    assert loaded.s_max >= float(s) * (1 - 1e-6)
    scale = float(expected.abs().max())
    # diffusers multiplies its thousand alphas in float32.
    assert torch.allclose(found, expected, atol=2e-4 * scale)
    assert torch.allclose(found, rows, atol=1e-5 * scale)


def test_ve_networks_give_scores_of_images_from_0_to_1(tmp_path: Path) -> None:
    network = _folder(tmp_path, time_embedding_type="fourier", center_input_sample=True)
    diffusers.ScoreSdeVeScheduler(sigma_min=0.01, sigma_max=50.0).save_pretrained(
        tmp_path / "scheduler"
    )
    loaded = DiffusersUnet(path=str(tmp_path)).load(CPU, torch.float32)
    assert (loaded.s_min, loaded.s_max) == pytest.approx((0.02, 100.0))
    x, sigma = _x(), torch.tensor(3.0)
    with torch.no_grad():
        score = network(x, sigma.expand(2)).sample
        found = loaded.alike()(2 * x - 1, 2 * sigma)
    assert torch.allclose(found, 2 * (x + sigma**2 * score) - 1, atol=1e-4)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"_class_name": "CMStochasticIterativeScheduler", "sigma_min": 0.002}, "jump to the end"),
        ({"_class_name": "LCMScheduler"}, "jump to the end"),
        ({"_class_name": "KarrasVeScheduler", "sigma_min": 0.02}, "what label"),
        ({"_class_name": "ScoreSdeVpScheduler", "beta_min": 0.1, "beta_max": 20}, "what label"),
        ({"_class_name": "DDIMInverseScheduler"}, "from data to noise"),
        ({"_class_name": "IPNDMScheduler", "trained_betas": None}, "angles"),
        ({"_class_name": "MyScheduler", "beta_schedule": "linear"}, "'MyScheduler' is not known"),
        ({"beta_schedule": "linear"}, "'None' is not known"),
    ],
)
def test_schedulers_of_other_networks_are_refused(
    record: dict[str, Any], message: str, tmp_path: Path
) -> None:
    _folder(tmp_path)
    file = tmp_path / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps(record), encoding="utf-8")
    model = DiffusersUnet(path=str(tmp_path))
    for asked in (model.contents, lambda: model.load(CPU, torch.float32)):
        with pytest.raises(BenchError, match=message) as caught:
            asked()
        assert "DDPMScheduler" in str(caught.value)  # those that are read


@pytest.mark.parametrize(
    ("record", "key"),
    [
        ({"prediction_type": "velocity"}, "prediction_type"),
        ({"a_new_key": 1}, "a_new_key"),
        ({"use_flow_sigmas": True}, "use_flow_sigmas"),
        ({"timestep_type": "continuous"}, "timestep_type"),
        ({"predict_epsilon": False}, "predict_epsilon"),
        ({"rescale_betas_zero_snr": "false"}, "rescale_betas_zero_snr"),
        ({"num_train_timesteps": 1}, "num_train_timesteps"),
        ({"trained_betas": [0.1, 0.2]}, "trained_betas"),
        ({"trained_betas": [0.1, 2.0], "num_train_timesteps": 2}, "trained_betas"),
        ({"beta_schedule": None}, "beta_schedule"),
        ({"beta_schedule": "exp"}, "beta_schedule"),  # of Heun's alone
        ({"beta_end": 0.9}, "beta_start"),  # no signal is left
        ({"variance_type": "learned_range"}, "out_channels"),  # the network has no variances
        ({"_class_name": "PNDMScheduler", "prediction_type": "sample"}, "prediction_type"),
        (
            {"_class_name": "PNDMScheduler", "rescale_betas_zero_snr": True},
            "rescale_betas_zero_snr",
        ),
        (
            {"_class_name": "EulerDiscreteScheduler", "interpolation_type": "log_linear"},
            "interpolation_type",
        ),
        (
            {
                "_class_name": "EulerDiscreteScheduler",
                "prediction_type": "v_prediction",
                "timestep_type": "continuous",
                "sigma_min": 3.0,
                "sigma_max": 2.0,
            },
            "sigma_min",
        ),
        (
            {"_class_name": "DPMSolverMultistepScheduler", "prediction_type": "flow_prediction"},
            "prediction_type",
        ),
        (
            {
                "_class_name": "UniPCMultistepScheduler",
                "use_flow_sigmas": True,
                "use_exponential_sigmas": True,
            },
            "use_flow_sigmas",
        ),
        (
            {"_class_name": "FlowMatchEulerDiscreteScheduler", "invert_sigmas": True},
            "invert_sigmas",
        ),
        ({"_class_name": "FlowMatchEulerDiscreteScheduler", "beta_start": 0.1}, "beta_start"),
        ({"_class_name": "EDMEulerScheduler", "sigma_data": 0}, "sigma_data"),
    ],
)
def test_keys_that_cannot_be_honoured_are_refused_by_name(
    record: dict[str, Any], key: str, tmp_path: Path
) -> None:
    _folder(tmp_path)
    file = tmp_path / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps({"_class_name": "DDPMScheduler", **record}), encoding="utf-8")
    with pytest.raises(BenchError, match=rf"config\.json: (\w+Scheduler: )?{key}\b") as caught:
        DiffusersUnet(path=str(tmp_path)).contents()
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # diffusers' own use of numpy
def test_continuous_labels(tmp_path: Path) -> None:
    """Euler's continuous labels are ln(sigma) / 4, its range sigma_min to sigma_max."""
    network = _folder(tmp_path).double()
    settings = {
        "prediction_type": "v_prediction",
        "timestep_type": "continuous",
        "use_karras_sigmas": True,
        "sigma_min": 0.002,
        "sigma_max": 700.0,
    }
    euler = diffusers.EulerDiscreteScheduler(**settings)
    euler.save_pretrained(tmp_path / "scheduler")
    loaded = DiffusersUnet(path=str(tmp_path)).load(CPU, torch.float64)
    assert (loaded.s_min, loaded.s_max) == (0.002, 700.0)
    euler.set_timesteps(10)
    sigma, label = euler.sigmas[5].double(), euler.timesteps[5]
    assert float(label) == pytest.approx(float(sigma.log()) / 4)
    y = _x().double() * sigma
    with torch.no_grad():
        raw = network(euler.scale_model_input(y, label), label.double()).sample
        wanted = euler.step(raw, label, y).pred_original_sample
        torch.testing.assert_close(loaded.alike()(y, sigma), wanted, rtol=0, atol=1e-6)


def test_what_the_scheduler_does_by_itself_is_listed_as_left_out(tmp_path: Path) -> None:
    _folder(tmp_path)
    diffusers.DPMSolverMultistepScheduler(
        thresholding=True, use_karras_sigmas=True, solver_order=3
    ).save_pretrained(tmp_path / "scheduler")
    left_out = (DiffusersUnet.describe(str(tmp_path)) or {})["left out"]
    assert isinstance(left_out, list)
    assert {"thresholding: True", "use_karras_sigmas: True", "solver_order: 3"} <= set(left_out)
    assert not any(line.startswith(("beta_", "prediction_type")) for line in left_out)


def test_a_flat_folder_and_learned_variances(tmp_path: Path) -> None:
    _folder(
        tmp_path,
        {"rescale_betas_zero_snr": True, "variance_type": "learned_range"},
        out_channels=6,
    )
    for file in (*(tmp_path / "unet").iterdir(), *(tmp_path / "scheduler").iterdir()):
        file.rename(tmp_path / file.name)
    model = DiffusersUnet(path=str(tmp_path), data="cifar10")
    loaded = model.load(CPU, torch.float64)
    y = _x().double()
    with torch.no_grad():
        found = loaded.alike()(y, torch.tensor(1.0).double())
    assert found.shape == y.shape
    assert found.dtype == torch.float64
    assert loaded.s_max < 1e6
    assert loaded.target.data == "cifar10"
    before = contents(model)
    for name in ("config.json", "scheduler_config.json", "diffusion_pytorch_model.safetensors"):
        kept = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(kept + b" ")
        assert contents(model) != before
        (tmp_path / name).write_bytes(kept)
    (tmp_path / "README.md").write_text("is not read", encoding="utf-8")
    assert contents(model) == before


def _conditional(model: DiffusersUnet) -> Conditional:
    denoiser = model.load(CPU, torch.float32).denoiser
    assert isinstance(denoiser, Conditional)
    return denoiser


def test_classes(tmp_path: Path) -> None:
    _folder(tmp_path, num_class_embeds=4)
    model = DiffusersUnet(path=str(tmp_path), label=1)
    y, s = _x(), torch.tensor(1.0)
    with torch.no_grad():
        one, two = (
            replace(model, label=label).load(CPU, torch.float32).alike()(y, s) for label in (1, 2)
        )
    assert not torch.allclose(one, two, atol=1e-4)
    with pytest.raises(BenchError, match="label 4 was asked, but it has classes 0 to 3"):
        replace(model, label=4).load(CPU, torch.float32)
    with pytest.raises(BenchError, match="cannot be asked for no class"):
        replace(model, label=-1).load(CPU, torch.float32)
    assert not _conditional(model).plain
    free = _conditional(replace(model, last_is_none=True))
    assert (free.plain, free.classes) == (True, 3)
    with torch.no_grad():
        last = replace(model, label=3).load(CPU, torch.float32).alike()(y, s)
        none = free.network(y, s, torch.full((len(y),), NO_CLASS))
    torch.testing.assert_close(none, last)
    for last_is_none, classes in ((False, 4), (True, 3)):
        dealt = _conditional(replace(model, label="balanced", last_is_none=last_is_none))
        assert dealt.labels(0, 0, 24, CPU).bincount().tolist() == [24 // classes] * classes
    _folder(tmp_path / "plain")
    with pytest.raises(BenchError, match="knows no classes"):
        DiffusersUnet(path=str(tmp_path / "plain"), label=1).load(CPU, torch.float32)


def test_without_diffusers_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _folder(tmp_path)
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(BenchError, match=r"pip install scorebench\[diffusers\]"):
        DiffusersUnet(path=str(tmp_path)).load(CPU, torch.float32)


def test_broken_folders_say_what_to_do(tmp_path: Path) -> None:
    _folder(tmp_path)
    model = DiffusersUnet(path=str(tmp_path))
    config, scheduler = (
        tmp_path / "unet" / "config.json",
        tmp_path / "scheduler" / "scheduler_config.json",
    )
    weights = tmp_path / "unet" / "diffusion_pytorch_model.safetensors"
    whole = {file: file.read_bytes() for file in (config, scheduler, weights)}

    def refused(message: str) -> None:
        with pytest.raises(BenchError, match=message) as caught:
            model.load(CPU, torch.float32)
        assert "\n" not in str(caught.value)
        for file, data in whole.items():
            file.write_bytes(data)

    for text, message in [
        ({"prediction_type": "flow_prediction"}, "prediction_type flow_prediction: is not known"),
        ({"beta_schedule": "other"}, "beta_schedule other: is not known"),
        ({"beta_start": -1.0}, "beta_start -1.0: is no positive"),
        ([], "no JSON object"),
    ]:
        record = {**json.loads(whole[scheduler]), **text} if isinstance(text, dict) else text
        scheduler.write_text(json.dumps(record), encoding="utf-8")
        refused(message)
    scheduler.unlink()
    refused("cannot be read")
    weights.write_bytes(whole[weights][:1000])
    refused("damaged")
    weights.unlink()
    refused("is missing; fetch it")
    record = json.loads(whole[config])
    for change in ({"layers_per_block": 2}, {"block_out_channels": [8, 8]}):
        config.write_text(json.dumps({**record, **change}), encoding="utf-8")
        refused("damaged")
    config.write_text("{", encoding="utf-8")
    refused("is no JSON")
    with pytest.raises(BenchError, match="fetch it and put it there"):
        contents(DiffusersUnet(path=str(tmp_path / "none")))
    long = DiffusersUnet(path="a" * 5000)
    for asked in (lambda: contents(long), lambda: long.load(CPU, torch.float32)):
        with pytest.raises(BenchError, match="File name too long"):
            asked()


def test_wrong_parameters_are_refused() -> None:
    for change in ({"path": ""}, {"label": -2}, {"data": ""}, {"variant": "../x"}):
        with pytest.raises(ValueError, match="must"):
            DiffusersUnet(**change)  # type: ignore[arg-type]


def test_a_folder_is_described(tmp_path: Path) -> None:
    network = _folder(tmp_path, {"prediction_type": "v_prediction"})
    described = DiffusersUnet.describe(str(tmp_path))
    assert described == {
        "network": "diffusers' UNet2DModel",
        "parameters": sum(p.numel() for p in network.parameters()),
        "shape": [3, 8, 8],
        "classes": 0,
        "scheduler": "DDPMScheduler",
        "prediction": "v",
        "s": [pytest.approx(0.01, rel=1e-3), pytest.approx(157.4, rel=1e-3)],
        "weights": ["diffusion_pytorch_model.safetensors"],
        "left out": [
            "clip_sample: True",
            "clip_sample_range: 1.0",
            "dynamic_thresholding_ratio: 0.995",
            "sample_max_value: 1.0",
            "steps_offset: 0",
            "timestep_spacing: leading",
        ],
    }
    assert DiffusersUnet.describe(str(tmp_path / "none.pkl")) is None
    weights = tmp_path / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:50])
    with pytest.raises(BenchError, match="no readable safetensors"):
        DiffusersUnet.describe(str(tmp_path))
