"""Attention-based recurrent neural machine translation on JAX.

    import nmt
    run = nmt.train(nmt.load_config("configs/demo.yaml"))
    translation = nmt.Translator.load(run.path).translate(["Der Hund schläft."])[0]
    nmt.plot_alignment(translation)

Importing this package does not import jax: most names are loaded when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from nmt.errors import ConfigError, DataError, Interrupted, RunError, UserError
from nmt.version import __version__ as __version__

if TYPE_CHECKING:
    from nmt import allocator as allocator
    from nmt import markup as markup
    from nmt import plotting as plotting
    from nmt.config import Config
    from nmt.configfile import load as load_config
    from nmt.data.constraints import Constraints
    from nmt.evaluation.metrics import evaluate
    from nmt.inference.aligner import Aligner
    from nmt.inference.caption import Caption
    from nmt.inference.captioner import Captioner
    from nmt.inference.translation import Translation
    from nmt.inference.translator import Translator
    from nmt.plotting import plot_alignment
    from nmt.run import Run
    from nmt.training.session import train

_LAZY = {
    "Aligner": "nmt.inference.aligner:Aligner",
    "Caption": "nmt.inference.caption:Caption",
    "Captioner": "nmt.inference.captioner:Captioner",
    "Config": "nmt.config:Config",
    "Constraints": "nmt.data.constraints:Constraints",
    "Run": "nmt.run:Run",
    "Translation": "nmt.inference.translation:Translation",
    "Translator": "nmt.inference.translator:Translator",
    "evaluate": "nmt.evaluation.metrics:evaluate",
    "load_config": "nmt.configfile:load",
    "plot_alignment": "nmt.plotting:plot_alignment",
    "train": "nmt.training.session:train",
}

_MODULES = ("allocator", "markup", "plotting")

__all__ = ["Aligner", "Caption", "Captioner", "Config", "ConfigError", "Constraints", "DataError"]
__all__ += ["Interrupted", "Run", "RunError", "Translation", "Translator", "UserError", "evaluate"]
__all__ += ["load_config", "plot_alignment", "train"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"nmt.{name}")
    if name not in _LAZY:
        raise AttributeError(f"module 'nmt' has no attribute {name!r}")
    module, _, attribute = _LAZY[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return __all__
