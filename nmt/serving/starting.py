"""From a translator to a model that is served."""

import os
import sys
import warnings
from time import monotonic

import jax

from nmt.config import DataConfig
from nmt.inference import programs
from nmt.inference.translator import Translator
from nmt.serving import warming
from nmt.serving.app import application as application
from nmt.serving.in_flight import Limits as Limits
from nmt.serving.model import Served
from nmt.serving.names import allowed as allowed
from nmt.serving.observing import Metrics as Metrics
from nmt.serving.service import Service as Service


def served(
    name: str,
    translator: Translator,
    data: DataConfig,
    *,
    metrics: Metrics,
    threads: int | None = None,
    longest: int | None = None,
    adapts: bool = True,
) -> Served:
    """Returns a model that answers, with its programs for lines of up to so many pieces compiled.

    If their number is not given, it is that of the longest training sentences. On a CPU, a model
    that `adapts` searches fewer lines at a time than its `decoding.batch`.
    """
    cpu = jax.default_backend() == "cpu"
    threads = threads or (min(2, os.cpu_count() or 1) if cpu else 1)
    if cpu and adapts:
        translator = warming.adapted(translator)
    searches, begin = warming.searches(translator, longest=longest), monotonic()
    if searches:
        print(f"nmt: {name}: {len(searches)} programs are compiled, or found", file=sys.stderr)
        warming.run(searches, threads=threads)
        print(f"nmt: {name}: ready in {monotonic() - begin:.0f} s", file=sys.stderr)
    if programs.is_full():
        warnings.warn(
            f"{name}: its programs are more than the {programs.MAX_PROGRAMS} that a process keeps "
            "of all models, so that some are loaded again when they are needed, which takes "
            "seconds; serve fewer models in a process",
            stacklevel=2,
        )
    return Served(
        name,
        translator,
        languages=(data.source, data.target),
        threads=threads,
        observe=metrics.of_model(name),
    )
