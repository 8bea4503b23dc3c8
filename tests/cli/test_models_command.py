"""`bench models`, and a run that fetches what it needs, from a site of one's own."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from torch import nn

from bench.api import Asset
from bench.cli import main as cli
from bench.files.contents import contents
from bench.files.pins import lock_file, pin_of
from bench.registry import Registry, load_registry
from bench_plugins.checkpoints.edm import Edm
from bench_plugins.checkpoints.edm_precond import EdmRecipe
from bench_plugins.checkpoints.networks.edm_unet import EdmUnet, EdmUnetConfig

Call = Callable[..., tuple[int, str, str]]
SMALL = EdmUnetConfig(
    img_resolution=8,
    in_channels=3,
    out_channels=3,
    label_dim=0,
    family="song",
    model_channels=16,
    channel_mult=(1,),
    num_blocks=1,
    attn_resolutions=(),
)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a site, and the folder that it serves."""
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", folder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BENCH_OFFLINE", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "cache"


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["bench", *arguments])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def known(site: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> dict[str, Asset]:
    """Three published files in the place of the real ones: pinned, unpinned, and by hand."""
    url, folder = site
    (folder / "pinned.bin").write_bytes(b"pinned")
    (folder / "free.bin").write_bytes(b"free")
    sha = hashlib.sha256(b"pinned").hexdigest()
    assets = (
        Asset("pinned", f"{url}/pinned.bin", "models/pinned.bin", sha, 6, "about it", "MIT"),
        Asset("free", f"{url}/free.bin", "models/free.bin"),
        Asset("by-hand", "https://example.org", "models/by-hand.pth", manual="take a.pth"),
    )
    registry = load_registry()
    fake = Registry(registry.entries, registry.broken, assets)
    monkeypatch.setattr("bench.registry.load_registry", lambda: fake)
    return {asset.name: asset for asset in assets}


def _states(out: str) -> dict[str, str]:
    return {item["name"]: item["state"] for item in json.loads(out)["files"]}


@pytest.mark.parametrize("command", ["list", "info", "fetch", "verify", "convert"])
def test_each_command_has_help(command: str, call: Call) -> None:
    code, out, err = call("models", command, "--help")
    assert (code, err) == (0, "")
    assert f"bench models {command}" in out


def test_the_list(known: dict[str, Asset], call: Call, cache: Path) -> None:
    code, out, err = call("models", "list", "--json")
    assert (code, err) == (0, "")
    listed = json.loads(out)
    assert listed["cache"] == str(cache)
    assert [item["name"] for item in listed["files"]] == ["by-hand", "free", "pinned"]
    assert listed["files"][2] == {
        "name": "pinned",
        "state": "missing",
        "path": str(cache / "models" / "pinned.bin"),
        "kind": "asset",
        "url": known["pinned"].url,
        "size": 6,
        "sha256": known["pinned"].sha256,
        "pinned": "published",
        "manual": None,
        "about": "about it",
        "licence": "MIT",
    }
    for arguments in (("models",), ("models", "list")):
        code, out, err = call(*arguments)
        assert (code, err) == (0, "")
        assert all(text in out for text in ("pinned", "by hand", "about it", f"cache: {cache}"))


def test_the_list_of_some(known: dict[str, Asset], call: Call) -> None:
    for part, names in (("pin", ["pinned"]), ("published:free", ["free"]), ("*d", None)):
        code, out, _ = call("models", "list", part, "--json")
        assert (code, list(_states(out))) == (0, names or ["by-hand", "pinned"])
    assert call("models", "list", "nonsense")[0] == 2


def test_fetch_and_verify(known: dict[str, Asset], call: Call) -> None:
    code, out, err = call("models", "fetch", "pinned", "published:free")
    assert (code, out) == (0, "fetched: pinned\nfetched: free\n")
    assert "free: pinned to sha256" in err
    code, out, _ = call("models", "list", "--json")
    assert _states(out) == {"by-hand": "missing", "free": "fetched", "pinned": "fetched"}
    assert [item["pinned"] for item in json.loads(out)["files"]] == [
        None,
        "first use",
        "published",
    ]
    assert call("models", "verify")[:2] == (0, "fetched: free\nfetched: pinned\n")
    known["free"].path.write_bytes(b"freX")  # of the same size: the list does not see it
    assert _states(call("models", "list", "--json")[1])["free"] == "fetched"
    code, out, _ = call("models", "verify", "--json")
    assert code == 1
    assert _states(out) == {"free": "damaged", "pinned": "fetched"}
    assert call("models", "fetch", "free")[0] == 0
    assert known["free"].path.read_bytes() == b"free"
    known["pinned"].path.write_bytes(b"short")
    assert _states(call("models", "list", "--json")[1])["pinned"] == "damaged"
    known["pinned"].path.unlink()
    code, out, _ = call("models", "verify", "pinned")
    assert code == 1
    assert out.startswith("missing: pinned (pinned is missing")


def test_all_and_wildcards(known: dict[str, Asset], call: Call) -> None:
    assert call("models", "fetch", "p*")[:2] == (0, "fetched: pinned\n")
    assert call("models", "fetch", "--all")[:2] == (0, "fetched: free\nfetched: pinned\n")
    assert call("models", "verify", "--json")[0] == 0


def test_what_cannot_be_had_is_one_line_and_the_others_come(
    known: dict[str, Asset], site: tuple[str, Path], call: Call
) -> None:
    (site[1] / "free.bin").unlink()
    code, out, err = call("models", "fetch", "free", "by-hand", "pinned", "--json")
    assert code == 1
    assert _states(out) == {"free": "missing", "by-hand": "missing", "pinned": "fetched"}
    lines = err.splitlines()
    assert len(lines) == 2
    assert "the server says 404" in lines[0]
    assert "no program can download it: take a.pth" in lines[1]
    assert json.loads(out)["files"][1]["error"] in lines[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fetch",), "name what to fetch"),
        (("fetch", "pined"), "did you mean 'pinned'?"),
        (("verify", "nonsense"), "see `bench models list`"),
        (("info", "nonsense"), "see `bench models list`"),
        (("fetch", "hub:nonsense"), "must be hub:OWNER/NAME"),
        (("fetch", "--name", "mine"), "belong to --url"),
        (("fetch", "--url", "https://a.org/x.pkl", "--name", "pinned"), "choose another"),
        (("fetch", "--url", "https://a.org/x.pkl", "--name", "../up"), "give --name"),
        (("fetch", "--url", "https://a.org/x.pkl", "--sha256", "12"), "64 hexadecimal"),
        (("fetch", "--url", "https://a.org/"), "give --name"),
        (("convert", "none.pkl", "b.safetensors"), "none.pkl: cannot be read"),
        (("convert", "none.pkl", "b.safetensors", "--model", "ddim"), "unknown model 'ddim'"),
        (("convert", "a.pkl", "b.safetensors", "--model", "edm", "--preset", "x"), "unknown key"),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...], message: str, known: dict[str, Asset], call: Call
) -> None:
    code, out, err = call("models", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("bench: ")
    assert message in err
    assert len(err.splitlines()) == 1


def test_offline_never_asks(
    known: dict[str, Asset], call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments, variable in ((("--offline",), ""), ((), "1")):
        monkeypatch.setenv("BENCH_OFFLINE", variable)
        code, out, err = call("models", "fetch", "pinned", *arguments)
        assert (code, out) == (1, "missing: pinned\n")
        assert f"fetch {known['pinned'].url} and put it there" in err
        assert str(known["pinned"].path) in err
    known["pinned"].path.parent.mkdir(parents=True)
    known["pinned"].path.write_bytes(b"pinned")
    assert call("models", "fetch", "pinned", "--offline")[0] == 0


def test_a_file_of_ones_own(
    known: dict[str, Asset], site: tuple[str, Path], call: Call, cache: Path
) -> None:
    (site[1] / "net.pkl").write_bytes(b"mine")
    url = f"{site[0]}/net.pkl?x=1"
    sha = hashlib.sha256(b"mine").hexdigest()
    code, out, _ = call("models", "fetch", "--url", url, "--name", "mine", "--sha256", sha.upper())
    assert (code, out) == (0, "fetched: mine\n")
    pin = pin_of("mine")
    assert pin is not None
    assert (pin.sha256, pin.own, pin.file) == (sha, True, "own/mine.pkl")
    assert contents(Edm(path="published:mine")) == {"path": f"sha256:{sha}"}
    assert _states(call("models", "list", "--json")[1])["mine"] == "fetched"
    assert call("models", "verify", "mine")[0] == 0
    (cache / "own" / "mine.pkl").unlink()
    assert call("models", "fetch", "mine")[0] == 0  # by its name alone
    code, _, err = call("models", "fetch", "--url", f"{site[0]}/other", "--name", "mine")
    assert code == 2
    assert "choose another" in err


def test_a_wrong_hash_leaves_nothing(
    known: dict[str, Asset], site: tuple[str, Path], call: Call, cache: Path
) -> None:
    (site[1] / "net.pkl").write_bytes(b"mine")
    code, _, err = call("models", "fetch", "--url", f"{site[0]}/net.pkl", "--sha256", "0" * 64)
    assert code == 1
    assert "nothing of it was kept" in err
    assert not lock_file().exists()
    assert not (cache / "own" / "net.pkl").exists()


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A small network as safetensors of EDM, with weights that denoise nothing."""
    path = tmp_path / "small.safetensors"
    torch.manual_seed(0)
    network = EdmUnet(SMALL)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.02)
    recipe = EdmRecipe("edm", SMALL, data="toy")
    _write(path, recipe, network)
    return path


def _write(path: Path, recipe: EdmRecipe, network: nn.Module) -> None:
    from dataclasses import asdict

    from bench_plugins.checkpoints.convert import write_safetensors

    write_safetensors(path, {"edm": asdict(recipe)}, network.state_dict())


def test_info_of_a_checkpoint(checkpoint: Path, call: Call, tmp_path: Path) -> None:
    code, out, err = call("models", "info", str(checkpoint), "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert found["model"] == "edm"
    count = sum(p.numel() for p in EdmUnet(SMALL).parameters())
    assert found["content"]["parameters"] == count
    assert found["content"]["shape"] == [3, 8, 8]
    assert found["content"]["data"] == "toy"
    code, out, _ = call("models", "info", str(checkpoint))
    assert code == 0
    assert f"  parameters: {count}" in out
    hostile = tmp_path / "hostile.pkl"
    hostile.write_bytes(b"cos\nsystem\n(S'touch run'\ntR.")
    code, out, err = call("models", "info", str(hostile))
    assert (code, out) == (2, "")
    assert "refused, and nothing in it was run" in err


def test_convert(checkpoint: Path, call: Call, tmp_path: Path) -> None:
    target = tmp_path / "again.safetensors"
    code, out, err = call("models", "convert", str(checkpoint), str(target))
    assert (code, out, err) == (0, f"wrote {target} (model edm)\n", "")
    described = [
        json.loads(call("models", "info", str(p), "--json")[1]) for p in (checkpoint, target)
    ]
    assert described[0]["content"] == described[1]["content"]


MATRIX = """\
suites:
  a:
    models: [{name: edm, path: "published:small"}]
    processes: [edm]
    solvers: [ddim]
    nfe: [3]
    samples: 64
    metrics: [rmse]
"""


@pytest.fixture
def small(
    checkpoint: Path, site: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Asset:
    """The small network as a published file that workers know too: one of the user's own."""
    content = checkpoint.read_bytes()
    (site[1] / "small.safetensors").write_bytes(content)
    from bench.files.pins import Pin, set_pin

    sha = hashlib.sha256(content).hexdigest()
    url = f"{site[0]}/small.safetensors"
    set_pin("small", Pin(sha, len(content), url, "own/small.safetensors", own=True))
    (tmp_path / "b.yaml").write_text(MATRIX, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return Asset("small", url, "own/small.safetensors", sha, len(content))


def test_a_run_fetches_what_it_needs(small: Asset, call: Call) -> None:
    code, out, err = call("run", "b.yaml", "--dry-run", "--json")
    assert (code, err) == (0, "")
    plan = json.loads(out)
    assert plan["missing"] == 1
    assert plan["fetch"] == [{"name": "small", "size": small.size, "path": str(small.path)}]
    code, out, _ = call("run", "b.yaml", "--dry-run")
    assert f"to be fetched: small ({small.size / 1e6:,.1f} MB)" in out
    assert not small.present()
    code, out, err = call("run", "b.yaml", "--offline")
    assert (code, out) == (2, "")
    assert err.startswith("bench: offline: small is missing (")
    assert len(err.splitlines()) == 1
    code, out, err = call("run", "b.yaml", "--json", "--no-report")
    assert code == 0, err
    assert json.loads(out)["cells"] == {"ok": 1}
    assert small.locate()
    assert json.loads(call("run", "b.yaml", "--dry-run", "--json")[1])["fetch"] == []
    code, out, err = call("run", "b.yaml", "--offline", "--json", "--no-report")
    assert code == 0, err
    small.path.write_bytes(b"damaged")
    code, out, err = call("run", "b.yaml")
    assert (code, out) == (2, "")
    assert "the file is damaged or another one; run `bench models fetch small`" in err


def test_a_run_that_cannot_fetch_is_one_line(
    small: Asset, site: tuple[str, Path], call: Call
) -> None:
    (site[1] / "small.safetensors").unlink()
    code, out, err = call("run", "b.yaml")
    assert (code, out) == (2, "")
    assert "the server says 404" in err
    assert len(err.splitlines()) == 1
    assert not Path("results").exists()


def test_only_what_the_chosen_cells_need_is_fetched(
    small: Asset, call: Call, tmp_path: Path
) -> None:
    more = "\n  b: {models: [gaussian_mixture], solvers: [ddim], nfe: [3], metrics: [rmse]}\n"
    (tmp_path / "b.yaml").write_text(MATRIX + more, encoding="utf-8")
    plan = json.loads(call("run", "b.yaml", "--only", "suite=b", "--dry-run", "--json")[1])
    assert (plan["cells"], plan["fetch"]) == (1, [])


def test_what_nobody_can_fetch_is_told_before_a_download(
    small: Asset, call: Call, tmp_path: Path
) -> None:
    text = MATRIX.replace("[rmse]", "[{name: fid, against: none.zip}]")
    (tmp_path / "b.yaml").write_text(text, encoding="utf-8")
    code, out, err = call("run", "b.yaml")
    assert (code, out) == (2, "")
    assert "'none.zip': there is no such file or folder" in err
    assert not small.present()


def test_an_unknown_published_name_is_told_with_its_place(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(MATRIX.replace("small", "smal"), encoding="utf-8")
    code, out, err = call("run", str(file), "--dry-run")
    assert (code, out) == (2, "")
    assert "models[0]" in err
    assert "there is no published file of this name here" in err
