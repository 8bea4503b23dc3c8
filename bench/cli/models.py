"""`bench models`: published files: list, describe, fetch, verify, convert. Imports are lazy."""

from __future__ import annotations

import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.core.errors import BenchError
from bench.printable import one_line, printable

if TYPE_CHECKING:
    from bench.cli.model_files import Standing
    from bench.files.asset import Asset
    from bench.files.meter import Meter
    from bench.files.supply import Supply

app = typer.Typer(
    help="Published checkpoints and statistics: list, describe, fetch, verify, convert.",
    invoke_without_command=True,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output.")]
OfflineFlag = Annotated[
    bool,
    typer.Option(
        "--offline",
        envvar="BENCH_OFFLINE",
        help="Never use the network: say what is missing and where to put it.",
    ),
]

_LIST_EPILOG = """
    bench models list
    bench models list score-sde '*-cond-*'

States: fetched, missing, by hand (missing, and a person has to download it: see `info`), damaged
(of another size; `bench models verify` reads the content).

In YAML a published file is a path: {name: edm, path: "published:edm-cifar10-32x32-uncond-vp"}.
The cache folder is BENCH_CACHE, or the platform's (~/.cache/scorebench on Linux).
"""

_INFO_EPILOG = """
    bench models info edm-cifar10-32x32-uncond-vp
    bench models info my/checkpoint.safetensors
    bench models info hub:google/ddpm-cifar10-32

Of a checkpoint that is here it says the network, its parameters, data and noise levels. Nothing in
the file is executed.
"""

_FETCH_EPILOG = """
    bench models fetch edm-cifar10-32x32-uncond-vp inception-v3-weights
    bench models fetch 'edm-cifar10-*'
    bench models fetch hub:google/ddpm-cifar10-32
    bench models fetch --url https://example.org/net.pkl --sha256 HASH --name mine

A download that was cut goes on where it was. Every file is verified by its sha256; where its
authors published none, the first download's is kept in models.lock.json in the cache folder. Your
own file (--url) is then published:mine in YAML. Exit codes: 0 all are here, 1 some could not be
had, 2 bad input.
"""

_VERIFY_EPILOG = """
Without names: everything that was fetched or pinned. Exit codes: 0 all are sound, 1 something is
damaged or missing, 2 bad input.
"""

_CONVERT_EPILOG = """
    bench models convert edm-cifar10-32x32-cond-vp.pkl edm.safetensors
    bench models convert checkpoint_24.pth ncsnpp.safetensors --preset ve/cifar10_ncsnpp_continuous

The result holds the moving average alone, says itself what network it is, and names by sha256 the
file that it was made of. SOURCE may be published:NAME.
"""


@app.callback()
def models(context: typer.Context) -> None:
    """Published checkpoints and statistics: list, describe, fetch, verify, convert."""
    if context.invoked_subcommand is None:
        list_models()


@app.command("list", epilog=_LIST_EPILOG)
def list_models(
    names: Annotated[
        list[str] | None, typer.Argument(help="Parts of names, or names with wildcards.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """List all published files that plugins know, with size, place and state."""
    from bench.cli.model_files import glanced, listed
    from bench.files.cache import cache_folder
    from bench.registry import load_registry

    standings = [glanced(supply) for supply in listed(names or [], load_registry())]
    if json:
        _print_json({"cache": str(cache_folder()), "files": [s.summary() for s in standings]})
        return
    from rich.console import Console

    from bench.cli.model_table import table

    console = Console(highlight=False)
    console.print(table(standings, console.width))
    console.print(f"cache: {cache_folder()}", markup=False, soft_wrap=True)


@app.command(epilog=_INFO_EPILOG)
def info(
    name: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A published file's name, or a path.")
    ],
    json: JsonFlag = False,
) -> None:
    """Describe a published file or a checkpoint."""
    from bench.cli.model_info import info_of
    from bench.registry import load_registry

    fields = info_of(name, load_registry())
    if json:
        _print_json(fields)
        return
    for key, value in fields.items():
        nested = value if isinstance(value, dict) else {}
        print(printable(f"{key}:" if nested else f"{key}: {'-' if value is None else value}"))
        for inner, what in nested.items():
            print(printable(f"  {inner}: {what}"))


@app.command(epilog=_FETCH_EPILOG)
def fetch(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Names, with wildcards; or hub:OWNER/NAME, hub:OWNER/NAME@REVISION."),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="All that can be downloaded.")] = False,
    url: Annotated[str, typer.Option(help="A file of your own, at this address.")] = "",
    sha256: Annotated[str, typer.Option(help="Its hash, where you know it.")] = "",
    name: Annotated[str, typer.Option(help="Its name; default: that of the file.")] = "",
    offline: OfflineFlag = False,
    json: JsonFlag = False,
) -> None:
    """Fetch published files into the cache: resumed, verified, with progress."""
    from rich.console import Console

    from bench.cli.model_files import verified
    from bench.files.meter import download_bar

    if (sha256 or name) and not url:
        raise BenchError("--sha256 and --name belong to --url; give the address too")
    if not (names or all_ or url):
        raise BenchError("name what to fetch (see `bench models list`), or give --all or --url")
    own = _own(url, sha256, name)
    wanted = _wanted(names or [], all_)
    errors: dict[str, str] = {}
    with download_bar(Console(stderr=True, highlight=False)) as bar:
        for supply in (*own, *wanted):
            try:
                _fetch_one(supply, bar, offline, supply in own)
            except BenchError as error:
                errors[supply.name] = one_line(str(error))
                print("bench:", errors[supply.name], file=sys.stderr)
            except KeyboardInterrupt:
                print("bench: interrupted; run it again to go on", file=sys.stderr)
                raise typer.Exit(130) from None
    standings = [verified(supply) for supply in (*own, *wanted)]
    _report(standings, errors, json)


def _own(url: str, sha256: str, name: str) -> tuple[Asset, ...]:
    from bench.cli.model_files import own_asset
    from bench.registry import load_registry

    return (own_asset(url, sha256, name, load_registry()),) if url else ()


def _wanted(names: list[str], everything: bool) -> tuple[Supply, ...]:
    from bench.cli.model_files import chosen, downloadable
    from bench.registry import load_registry

    registry = load_registry()
    return downloadable(registry) if everything else chosen(names, registry)


def _fetch_one(supply: Supply, meter: Meter, offline: bool, own: bool) -> None:
    from bench.cli.model_files import State, verified
    from bench.files.asset import Asset
    from bench.files.fetch import fetch as fetch_asset
    from bench.files.supply import obtain

    if offline:
        standing = verified(supply)
        if standing.state is not State.FETCHED:
            raise BenchError(f"offline: {standing.reason}")
    elif own and isinstance(supply, Asset):
        fetch_asset(supply, meter, own=True)
    else:
        obtain(supply, meter)


@app.command(epilog=_VERIFY_EPILOG)
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Names, with wildcards.")] = None,
    json: JsonFlag = False,
) -> None:
    """Read files again, and compare them with their sha256."""
    from bench.cli.model_files import chosen, expected, verified
    from bench.registry import load_registry

    registry = load_registry()
    wanted = chosen(names, registry) if names else expected(registry)
    _report([verified(supply) for supply in wanted], {}, json)


@app.command(epilog=_CONVERT_EPILOG)
def convert(
    source: Annotated[str, typer.Argument(help="A checkpoint, such as a .pth or a .pkl.")],
    target: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    preset: Annotated[
        str, typer.Option(help="Its configuration, where the file does not say (score_sde).")
    ] = "",
    recipe: Annotated[str, typer.Option(help="A JSON file in the place of --preset.")] = "",
    model: Annotated[str, typer.Option(help="The model to read it with; default: found out.")] = "",
) -> None:
    """Write a checkpoint as safetensors that describe themselves."""
    from bench.cli.checkpoint_info import convert as convert_checkpoint
    from bench.registry import load_registry

    given = {"preset": preset, "recipe": recipe}
    parameters = {key: value for key, value in given.items() if value}
    used = convert_checkpoint(source, target, model, parameters, load_registry())
    print(f"wrote {target} (model {used})")


def _report(standings: list[Standing], errors: dict[str, str], json: bool) -> None:
    """Prints how files stand; exits with 1 if one is not sound."""
    from bench.cli.model_files import State

    if json:
        files = [{**s.summary(), "error": errors.get(s.supply.name)} for s in standings]
        _print_json({"files": files})
    elif not standings:
        print("nothing was fetched yet; see `bench models list`")
    else:
        for standing in standings:
            reason = f" ({one_line(standing.reason)})" if standing.reason and not errors else ""
            print(f"{standing.state.value}: {printable(standing.supply.name)}{reason}")
    if errors or any(standing.state is not State.FETCHED for standing in standings):
        raise typer.Exit(1)


def _print_json(content: dict[str, object]) -> None:
    print(json_module.dumps(content, indent=1))
