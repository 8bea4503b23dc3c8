"""A preset, and the options of the command line that override it."""

from __future__ import annotations

from dataclasses import replace

from bench_train.options.computation import ComputationOptions
from bench_train.options.network import NetworkOptions
from bench_train.options.objective import ObjectiveOptions
from bench_train.options.optimisation import AverageOptions, OptimiserOptions
from bench_train.presets import PRESETS
from bench_train.settings import Settings, Sizes

Overrides = (
    NetworkOptions | ObjectiveOptions | OptimiserOptions | AverageOptions | ComputationOptions
)


def override(settings: Settings, *options: Overrides) -> Settings:
    """Return ``settings`` with those of the options that are settings, and are not None."""
    for group in options:
        match group:
            case NetworkOptions():
                settings = _override_network(settings, group)
            case AverageOptions():
                settings = _override_averages(settings, group)
            case _:
                given = {name: value for name, value in vars(group).items() if value is not None}
                known = given.keys() & vars(settings).keys()
                settings = replace(settings, **{name: given[name] for name in known})
    return settings


def _override_network(settings: Settings, options: NetworkOptions) -> Settings:
    network = settings.network if options.network is None else options.network
    # The sizes of a preset are for the networks of presets alone.
    sized = network in {preset.network for preset in PRESETS.values()}
    sizes = replace(settings.sizes if sized else Sizes(), **options.sizes.given)
    return replace(settings, network=network, sizes=sizes)


def _override_averages(settings: Settings, options: AverageOptions) -> Settings:
    if not (options.ema or options.ema_halflife or options.ema_rate):
        return settings
    return replace(
        settings,
        ema=tuple(options.ema or ()),
        ema_halflives=tuple(options.ema_halflife or ()),
        ema_rates=tuple(options.ema_rate or ()),
    )
