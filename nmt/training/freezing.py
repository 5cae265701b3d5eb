"""Parameters that training leaves as they are: `training.freeze`.

They have no gradient, which costs nothing then, so that norm and clipping are those of the trained
ones; and no update, not even by weight decay.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import jax
import optax
from flax import nnx

from nmt.errors import ConfigError
from nmt.model import parameters
from nmt.run import Run
from nmt.types import Params


def is_frozen(name: str, parts: Sequence[str]) -> bool:
    """Returns whether a parameter is one of the given ones, or in one of the given parts.

    A part is the beginning of names, or what `nmt info` calls so, as `output`.
    """
    return parameters.part(name) in parts or any(
        f"{name}.".startswith(f"{part}.") for part in parts
    )


def mask(params: Params, parts: Sequence[str]) -> Any:
    """Returns the tree of a model with True in place of each frozen parameter, else False."""
    return jax.tree_util.tree_map_with_path(
        lambda path, _: is_frozen(parameters.name(path), parts), params
    )


def without_gradients(params: Params, parts: Sequence[str]) -> Params:
    """Returns the parameters; those that are frozen have no gradient."""
    return jax.tree.map(
        lambda array, frozen: jax.lax.stop_gradient(array) if frozen else array,
        params,
        mask(params, parts),
    )


def without_updates(
    rule: optax.GradientTransformation, parts: Sequence[str]
) -> optax.GradientTransformation:
    """Returns an update rule that leaves frozen parameters as they are."""
    if not parts:
        return rule
    return optax.chain(rule, optax.masked(optax.set_to_zero(), partial(mask, parts=parts)))


def check(model: nnx.Module, run: Run) -> list[str]:
    """Returns a line that says how many parameters are frozen, none if no names are given.

    Raises:
        ConfigError: a name is of no parameter and of no part, or nothing is left to train.
    """
    parts = run.config.training.freeze
    sizes = {
        name: leaf.size for name, leaf in parameters.named(nnx.state(model, nnx.Param)).items()
    }
    for part in parts:
        if not any(is_frozen(name, [part]) for name in sizes):
            raise ConfigError(
                f"training.freeze: no parameter and no part of the model is named {part!r}; "
                f"{_known(part, sizes)}"
            )
    frozen = sum(size for name, size in sizes.items() if is_frozen(name, parts))
    if frozen == sum(sizes.values()):
        raise ConfigError("training.freeze names all parameters: leave out what is to be trained")
    if not parts:
        return []
    return [
        f"{run.path}: {frozen:,} of {sum(sizes.values()):,} numbers are frozen: {', '.join(parts)}"
    ]


def _known(part: str, names: Iterable[str]) -> str:
    """Returns what there is beside a part that does not exist."""
    keys, paths = part.split("."), [name.split(".") for name in names]
    depth = max(n for n in range(len(keys)) if any(path[:n] == keys[:n] for path in paths))
    beside = {".".join(path[: depth + 1]) for path in paths if path[:depth] == keys[:depth]}
    return f"there are {', '.join(sorted(beside))}"
