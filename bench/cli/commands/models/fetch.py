"""`bench models fetch`: published files into the cache."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.commands.models.verify import print_statuses
from bench.cli.options import Json, Offline, interruption
from bench.core.errors import BenchError
from bench.printable import one_line

if TYPE_CHECKING:
    from bench.files.asset import Asset
    from bench.files.meter import Meter
    from bench.files.supply import Supply

EPILOG = """
    bench models fetch edm-cifar10-32x32-uncond-vp inception-v3-weights
    bench models fetch 'edm-cifar10-*'
    bench models fetch hub:google/ddpm-cifar10-32
    bench models fetch --url https://example.org/net.pkl --sha256 HASH --name mine

A download that was cut goes on where it was. Every file is verified by its sha256; where its
authors published none, the first download's is kept in models.lock.json in the cache folder. Your
own file (--url) is then published:mine in YAML. Exit codes: 0 all are here, 1 some could not be
had, 2 bad input.
"""

Names = Annotated[
    list[str] | None,
    typer.Argument(help="Names, with wildcards; or hub:OWNER/NAME, hub:OWNER/NAME@REVISION."),
]
All = Annotated[bool, typer.Option("--all", help="All that can be downloaded.")]
Url = Annotated[str, typer.Option(help="A file of your own, at this address.")]
Sha256 = Annotated[str, typer.Option(help="Its hash, where you know it.")]
Name = Annotated[str, typer.Option(help="Its name; default: that of the file.")]


def fetch(
    names: Names = None,
    everything: All = False,
    url: Url = "",
    sha256: Sha256 = "",
    name: Name = "",
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Fetch published files into the cache: resumed, verified, with progress."""
    from rich.console import Console

    from bench.cli.commands.models.files import status_by_content
    from bench.files.meter import download_bar

    if (sha256 or name) and not url:
        raise BenchError("--sha256 and --name belong to --url; give the address too")
    if not (names or everything or url):
        raise BenchError("name what to fetch (see `bench models list`), or give --all or --url")
    own = _own_asset(url, sha256, name)
    wanted = (*own, *_select(names or [], everything))
    errors: dict[str, str] = {}
    with download_bar(Console(stderr=True, highlight=False)) as bar:
        for supply in wanted:
            try:
                _fetch_one(supply, bar, offline, supply in own)
            except BenchError as error:
                errors[supply.name] = one_line(str(error))
                print("bench:", errors[supply.name], file=sys.stderr)
            except KeyboardInterrupt:
                raise interruption("run it again to go on") from None
    print_statuses([status_by_content(supply) for supply in wanted], errors, json)


def _own_asset(url: str, sha256: str, name: str) -> tuple[Asset, ...]:
    from bench.cli.commands.models.files import own_asset
    from bench.registry import load_registry

    return (own_asset(url, sha256, name, load_registry()),) if url else ()


def _select(names: list[str], everything: bool) -> tuple[Supply, ...]:
    from bench.cli.commands.models.files import downloadable, select
    from bench.registry import load_registry

    registry = load_registry()
    return downloadable(registry) if everything else select(names, registry)


def _fetch_one(supply: Supply, meter: Meter, offline: bool, own: bool) -> None:
    from bench.cli.commands.models.files import FileState, status_by_content
    from bench.files.asset import Asset
    from bench.files.fetch import fetch as fetch_asset
    from bench.files.supply import obtain

    if offline:
        status = status_by_content(supply)
        if status.state is not FileState.FETCHED:
            raise BenchError(f"offline: {status.reason}")
    elif own and isinstance(supply, Asset):
        fetch_asset(supply, meter, own=True)
    else:
        obtain(supply, meter)
