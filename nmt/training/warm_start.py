"""Warm starts: a fresh model takes the parameters of another run, `training.start_from`.

Parameters are taken by name where the shapes agree. Where there is a row for each piece of a
vocabulary, rows are taken by piece: those of pieces that both vocabularies have. All others stay as
they were initialized. Nothing but parameters is taken: optimizer and schedule start anew.
"""

from typing import Any

import jax
import numpy as np
import numpy.typing as npt
from flax import nnx

from nmt.data.tokenizer import Tokenizer
from nmt.data.tokenizers import Tokenizers
from nmt.errors import RunError
from nmt.model import parameters
from nmt.model.build import outline
from nmt.run import Run
from nmt.trained import Trained, opened

SOURCE, TARGET = "source_embedding.embedding", "target_embedding.embedding"
OUTPUT = "output.embedding"
# Parameters with a row for each piece of a side, of a translator and of an aligner.
OF_SIDES = {
    "source": (
        SOURCE,
        "source.embedding.embedding",
        "backward.output.embedding",
        "backward.output_bias",
        "backward.empty_bias",
    ),
    "target": (
        TARGET,
        OUTPUT,
        "output_bias",
        "lexical_model.output.embedding",
        "target.embedding.embedding",
        "forward.output.embedding",
        "forward.output_bias",
        "forward.empty_bias",
    ),
}
SIDES = {name: side for side, names in OF_SIDES.items() for name in names}
# What the target embedding is too, by `model.tied_embeddings`.
TIED = {"none": (), "target": (OUTPUT,), "all": (SOURCE, OUTPUT)}
NOT = "not taken"

Rows = npt.NDArray[np.integer[Any]]


def parent_of(run: Run) -> Trained | None:
    """Returns the model of `training.start_from`.

    It is None without that setting, and if the run has a checkpoint of its own, to go on from.

    Raises:
        RunError: there is no such run, or it imports a class that this configuration does not
            name, or one of both networks aligns and the other translates.
    """
    if run.config.training.start_from is None or run.progress("last") is not None:
        return None
    parent = opened(run.config.training.start_from)
    _check_imports(parent, run)
    _check_kind(parent, run)
    return parent


def start(model: nnx.Module, parent: Trained | None, run: Run, tokenizers: Tokenizers) -> list[str]:
    """Sets parameters of a fresh model to those of the best checkpoint of its parent.

    Returns the lines of a table that says what was taken; none without a parent.

    Raises:
        RunError: the parent has no such checkpoint, or none of its parameters fits.
    """
    if parent is None:
        return []
    theirs = parent.tokenizers()
    _, template = outline(parent.config, theirs)
    old = parameters.named(parent.params("best", template))
    rows = {
        side: _rows(getattr(theirs, side), getattr(tokenizers, side))
        for side in ("source", "target")
    }
    tied = TIED[parent.config.model.tied_embeddings]
    table: dict[str, str] = {}

    def merged(path: tuple[Any, ...], fresh: jax.Array) -> jax.Array:
        name = parameters.name(path)
        found = old.get(TARGET if name in tied else name)
        array, table[name] = _merged(fresh, found, rows.get(SIDES.get(name, "")))
        return array

    fresh = nnx.state(model, nnx.Param)
    nnx.update(model, jax.tree_util.tree_map_with_path(merged, fresh))
    taken = {name for name, outcome in table.items() if not outcome.startswith(NOT)}
    sizes = parameters.named(fresh)
    if all(sizes[name].ndim < 2 for name in taken):  # biases fit whatever the widths are
        raise RunError(
            f"training.start_from: no parameter of {parent.path} has the name and the shape of one "
            "of this model; give this model its sizes, those of `model` in its config.yaml"
        )
    width = max(map(len, table))
    return [
        f"{run.path}: starts from the best checkpoint of {parent.path}: "
        f"{len(taken)} of {len(table)} parameters taken",
        *(f"  {name:{width}}  {outcome}" for name, outcome in table.items()),
    ]


def _check_kind(parent: Trained, run: Run) -> None:
    """Checks that both networks align, or both translate."""
    does = ["aligns" if each.config.aligner else "translates" for each in (parent, run)]
    if does[0] != does[1]:
        raise RunError(
            f"training.start_from: {parent.path} {does[0]}, and the network of this configuration "
            f"{does[1]}; they share no parameters: leave it out"
        )


def _check_imports(parent: Trained, run: Run) -> None:
    """Checks that reading the parent imports no class but one that the user names anyway."""
    imported = parent.config.model.attention.imported
    if imported not in (None, run.config.model.attention.imported):
        raise RunError(
            f"{parent.path}: model.attention.score imports {imported}, whose code may do anything; "
            "training.start_from reads this run only if model.attention.score here is the same"
        )


def _rows(old: Tokenizer, new: Tokenizer) -> Rows:
    """Returns the id of each new piece in the old vocabulary, -1 if it is not there."""
    ids = {piece: number for number, piece in enumerate(old.pieces(range(old.size)))}
    return np.array([ids.get(piece, -1) for piece in new.pieces(range(new.size))])


def _merged(fresh: jax.Array, found: jax.Array | None, rows: Rows | None) -> tuple[jax.Array, str]:
    """Returns a parameter with what fits of the one that was found, and says what that was.

    `rows` are given for a parameter with a row for each piece; see `_rows`.
    """
    if found is None:
        return fresh, f"{NOT}: it has none"
    if rows is None and found.shape == fresh.shape:
        return found, "taken"
    if rows is None or found.shape[1:] != fresh.shape[1:]:
        shapes = (" x ".join(map(str, array.shape)) for array in (found, fresh))
        return fresh, f"{NOT}: its shape is {', not '.join(shapes)}"
    shared = rows >= 0
    array = fresh.at[shared].set(found[rows[shared]])
    return array, f"{shared.sum():,} of {len(rows):,} pieces"
