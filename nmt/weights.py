"""The parameters of a model in one file, to be shared: as float32, float16 or int8.

With int8 a matrix is stored as integers q from -127 to 127 and as scales s, one for each row or one
for each column, whichever are more. It is read as s q, where s is the largest absolute value of the
row or column, divided by 127. Vectors are a hundredth of a model, and stay float32.
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int8
from safetensors import SafetensorError

from nmt import arrays
from nmt.config.storage import DType
from nmt.errors import RunError
from nmt.model import parameters
from nmt.types import Params

SCALES = ".scales"  # behind the name of a matrix
TOKENIZER = "tokenizer"  # the fingerprint of the tokenizers, beside the arrays


def write(path: Path, params: Params, *, dtype: DType, tokenizer: str) -> None:
    """Writes the parameters by name, and the fingerprint of the tokenizers they belong to.

    Raises:
        RunError: a parameter is no number, or too large for the type.
        OSError: the disk is full, or cannot be written for another reason.
    """
    stored = jax.device_get(_stored(params, dtype))
    for name, array in stored.items():
        if not jnp.isfinite(array).all():
            raise RunError(f"{name}: has values that {dtype} cannot hold; export another type")
    arrays.save(path, stored, {TOKENIZER: tokenizer})


def read(path: Path, template: Params, *, dtype: DType, tokenizer: str) -> Params:
    """Returns parameters with the structure, shapes and types of a template.

    All headers are compared before any array is read.

    Raises:
        RunError: the file has other arrays, is damaged, or belongs to other tokenizers; or it is
            larger than the memory of this machine.
    """
    expected = jax.eval_shape(lambda params: _stored(params, dtype), template)
    size = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves((expected, template)))
    if size > arrays.memory():
        raise RunError(
            f"{path}: a model of {size:,} bytes by config.json, more than the memory of this "
            "machine; use a larger one, or get the bundle anew"
        )

    def check(found: dict[str, str], texts: dict[str, str]) -> None:
        if differing := arrays.mismatch(found, arrays.kinds(expected)):
            name, there, here = differing
            raise RunError(
                f"{path}: of another model than config.json ({name}: {there} in the file, {here} "
                "by config.json); get the bundle anew"
            )
        if texts.get(TOKENIZER) != tokenizer:
            raise RunError(
                f"{path}: was trained with another tokenizer, or writes in another direction; get "
                "the bundle anew"
            )

    try:
        found = arrays.load(path, check)
    except (OSError, ValueError, SafetensorError) as error:
        raise RunError(
            f"{path}: cannot be read ({arrays.printable(str(error))}); get the bundle anew"
        ) from None

    def restored(place: tuple[Any, ...], leaf: Any) -> Array:
        name = parameters.name(place)
        array = jnp.asarray(found[name], leaf.dtype)
        return array * found[name + SCALES] if name + SCALES in found else array

    return jax.tree_util.tree_map_with_path(restored, template)


def quantized(matrix: Float[Array, "row column"]) -> tuple[Int8[Array, "row column"], Array]:
    """Returns the integers of a matrix, and its scales: (row, 1) or (1, column)."""
    rows, columns = matrix.shape
    largest = jnp.max(jnp.abs(matrix), axis=int(rows > columns), keepdims=True, initial=0)
    scales = largest / 127
    return jnp.rint(matrix / jnp.where(scales > 0, scales, 1)).astype(jnp.int8), scales


def _stored(params: Params, dtype: DType) -> dict[str, Array]:
    """Returns the arrays that a file has of parameters, by name."""
    found: dict[str, Array] = {}
    for name, array in parameters.named(params).items():
        if dtype == "int8" and array.ndim == 2:
            found[name], found[name + SCALES] = quantized(array)
        else:
            found[name] = array.astype(jnp.float16 if dtype == "float16" else jnp.float32)
    return found
