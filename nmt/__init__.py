"""Attention-based recurrent neural machine translation on JAX.

    import nmt
    run = nmt.train(nmt.load_config("configs/demo.yaml"))
    translation = nmt.Translator.load(run.path).translate(["Der Hund schläft."])[0]
    nmt.plot_alignment(translation)

Importing this package imports no jax; a name is loaded when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from nmt.version import __version__ as __version__

if TYPE_CHECKING:
    from nmt.config import Config
    from nmt.configfile import load as load_config
    from nmt.errors import ConfigError, DataError, Interrupted, RunError, UserError
    from nmt.evaluation.metrics import evaluate
    from nmt.inference.translation import Translation
    from nmt.inference.translator import Translator
    from nmt.plotting import plot_alignment
    from nmt.run import Run
    from nmt.training.trainer import train

_HOMES = {
    "Config": "nmt.config:Config",
    "ConfigError": "nmt.errors:ConfigError",
    "DataError": "nmt.errors:DataError",
    "Interrupted": "nmt.errors:Interrupted",
    "Run": "nmt.run:Run",
    "RunError": "nmt.errors:RunError",
    "Translation": "nmt.inference.translation:Translation",
    "Translator": "nmt.inference.translator:Translator",
    "UserError": "nmt.errors:UserError",
    "evaluate": "nmt.evaluation.metrics:evaluate",
    "load_config": "nmt.configfile:load",
    "plot_alignment": "nmt.plotting:plot_alignment",
    "train": "nmt.training.trainer:train",
}

__all__ = [
    "Config",
    "ConfigError",
    "DataError",
    "Interrupted",
    "Run",
    "RunError",
    "Translation",
    "Translator",
    "UserError",
    "evaluate",
    "load_config",
    "plot_alignment",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nmt' has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return __all__
