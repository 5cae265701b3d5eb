"""A scan that computes the gradients of matrices once, after the loop, instead of inside it.

With plain automatic differentiation, a recurrence s_t = f(s_{t-1} U) adds one product to the
gradient of U at each step of the backward pass:

    for t = T .. 1:    dU += s_{t-1}^T dz_t         (hidden x batch) times (batch x gates)

dz_t, the gradient of z_t = s_{t-1} U, has to wait for the step after it; the sum has not. The batch
is a short inner dimension, and every step reads and writes the whole of dU. Delayed until the loop
has ended, the sum is one large product over the rows of all steps:

    dU = S^T dZ                                     (hidden x T batch) times (T batch x gates)

`scan` does this for every product in a step that has an operand which is the same at all steps:
the matrices of the cells, of input feeding and of the query, and also the keys and the annotations
that attention reads. It finds them in the traced step (its jaxpr), so that models, with a user's
own score function, are written as their papers print them:

1. What depends on neither the state nor the inputs is computed once, before the loop.
2. A product with such an invariant C is tapped: the loop stores its other operand a_t in the
   forward pass, and returns dz_t in the backward pass, where C counts as a constant.
3. After the loop, dC is computed from all a_t and dz_t at once.

All else is left to `lax.scan` and automatic differentiation, reverse mode only. Products inside a
function that is jitted or checkpointed within the step are differentiated in the plain way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend import core

Carry = TypeVar("Carry")
Inputs = TypeVar("Inputs")
Outputs = TypeVar("Outputs")
Leaves = list[Any]
Values = dict[core.Var, Any]


def scan(
    step: Callable[[Carry, Inputs], tuple[Carry, Outputs]],
    initial: Carry,
    inputs: Inputs,
    *,
    reverse: bool = False,
) -> tuple[Carry, Outputs]:
    """Returns what `jax.lax.scan` returns; only gradients differ, in the order of their sums."""
    start, state_tree = jax.tree.flatten(initial)
    times, input_tree = jax.tree.flatten(inputs)
    trees = []

    def leafwise(state: Leaves, inputs: Leaves) -> Leaves:
        results = step(
            jax.tree.unflatten(state_tree, state), jax.tree.unflatten(input_tree, inputs)
        )
        leaves, tree = jax.tree.flatten(results)
        trees.append(tree)
        return leaves

    traced = jax.make_jaxpr(leafwise)(start, [time[0] for time in times])
    loop, invariants = _split(traced, reverse=reverse)
    matrices = [invariants[product.matrix] for product in loop.products]
    others = [invariants[variable] for variable in loop.others]
    return jax.tree.unflatten(trees[0], _run(loop, matrices, others, start, times))


@dataclass(frozen=True, eq=False)
class Product:
    """A product in the step, one operand of which is the same at all steps."""

    equation: core.JaxprEqn
    side: int  # where the invariant operand stands: 0 or 1

    @property
    def matrix(self) -> Any:
        """The invariant operand."""
        return self.equation.invars[self.side]

    @property
    def operand(self) -> Any:
        """The operand that changes from step to step."""
        return self.equation.invars[1 - self.side]

    @property
    def result(self) -> Any:
        """The variable that holds the product."""
        return self.equation.outvars[0]

    def __call__(self, matrix: Any, operand: Any) -> Any:
        """Returns the product of one step."""
        operands = (matrix, operand) if self.side == 0 else (operand, matrix)
        return self.equation.primitive.bind(*operands, **self.equation.params)

    def gradient(self, matrix: Any, operands: Any, gradients: Any) -> Any:
        """Returns the gradient of the matrix, from the operands and gradients of all steps."""
        of_all_steps = jax.vmap(self, in_axes=(None, 0))
        transposed = jax.linear_transpose(lambda matrix: of_all_steps(matrix, operands), matrix)
        return transposed(gradients)[0]


@dataclass(frozen=True, eq=False)
class Loop:
    """The part of a step that stays in the loop."""

    equations: Sequence[core.JaxprEqn | Product]
    inputs: Sequence[core.Var]  # the state, then the inputs of the step
    outputs: Sequence[core.Var | core.Literal]  # the next state, then the outputs of the step
    others: Sequence[core.Var]  # invariants that are used outside of products
    reverse: bool

    @property
    def products(self) -> list[Product]:
        """The equations whose gradients are delayed until after the loop."""
        return [each for each in self.equations if isinstance(each, Product)]


def _split(traced: core.ClosedJaxpr, *, reverse: bool) -> tuple[Loop, Values]:
    """Returns the loop, and the values of everything that is computed before it."""
    jaxpr = traced.jaxpr
    values: Values = dict(zip(jaxpr.constvars, traced.consts, strict=True))
    equations: list[core.JaxprEqn | Product] = []
    others: dict[core.Var, None] = {}  # an ordered set
    for equation in jaxpr.eqns:
        invariant = [isinstance(x, core.Literal) or x in values for x in equation.invars]
        if all(invariant) and not equation.effects:
            _evaluate(equation, values)
        elif any(invariant) and _pays(product := Product(equation, side=invariant.index(True))):
            equations.append(product)
        else:
            equations.append(equation)
            others |= dict.fromkeys(_known(equation.invars, values))
    others |= dict.fromkeys(_known(jaxpr.outvars, values))
    return Loop(equations, jaxpr.invars, jaxpr.outvars, list(others), reverse), values


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _run(loop: Loop, matrices: Leaves, others: Leaves, initial: Leaves, inputs: Leaves) -> Leaves:
    """Returns the leaves of the last state, then those of the stacked outputs."""
    no_taps = [None] * len(matrices)
    return _scan(loop, matrices, others, initial, inputs, no_taps)[0]


def _forward(
    loop: Loop, matrices: Leaves, others: Leaves, initial: Leaves, inputs: Leaves
) -> tuple[Leaves, Any]:
    """Runs the loop, and returns what the backward pass needs with its results."""
    steps = inputs[0].shape[0]
    results = [product.result.aval for product in loop.products]
    taps = [jnp.zeros((steps, *result.shape), result.dtype) for result in results]
    outputs, pull_back, operands = jax.vjp(
        partial(_scan, loop, matrices), others, initial, inputs, taps, has_aux=True
    )
    return outputs, (matrices, operands, pull_back)


def _backward(loop: Loop, kept: Any, gradients: Leaves) -> tuple[Leaves, ...]:
    """Runs the loop backwards, then computes the gradients of all matrices."""
    matrices, operands, pull_back = kept
    others, initial, inputs, tapped = pull_back(gradients)
    parts = zip(loop.products, matrices, operands, tapped, strict=True)
    return [product.gradient(*arrays) for product, *arrays in parts], others, initial, inputs


_run.defvjp(_forward, _backward)


def _scan(
    loop: Loop, matrices: Leaves, others: Leaves, initial: Leaves, inputs: Leaves, taps: Leaves
) -> tuple[Leaves, Leaves]:
    """Runs the loop; returns what `_run` does, and the operands of products at all steps."""
    invariants = dict(zip(loop.others, others, strict=True))

    def step(state: Leaves, xs: tuple[Leaves, Leaves]) -> tuple[Leaves, tuple[Leaves, Leaves]]:
        inputs, taps = xs
        values = invariants | dict(zip(loop.inputs, [*state, *inputs], strict=True))
        factors, operands = iter(zip(matrices, taps, strict=True)), []
        for equation in loop.equations:
            if isinstance(equation, Product):
                matrix, tap = next(factors)
                operands.append(values[equation.operand])
                values[equation.result] = _tap(equation(matrix, operands[-1]), tap)
            else:
                _evaluate(equation, values)
        results = [_value(variable, values) for variable in loop.outputs]
        return results[: len(state)], (results[len(state) :], operands)

    state, (outputs, operands) = lax.scan(step, initial, (inputs, taps), reverse=loop.reverse)
    return [*state, *outputs], operands


@jax.custom_vjp
def _tap(value: Any, tap: Any) -> Any:
    """Returns the value; in the backward pass, the tap gets the same gradient."""
    return value


_tap.defvjp(lambda value, tap: (value, None), lambda _, gradient: (gradient, gradient))


def _pays(product: Product) -> bool:
    """Returns whether to delay a gradient: where the stored operand is smaller than the matrix."""
    is_product = product.equation.primitive is core.primitives.dot_general_p
    return is_product and product.operand.aval.size < product.matrix.aval.size


def _evaluate(equation: core.JaxprEqn, values: Values) -> None:
    """Adds the results of an equation to the values."""
    primitive = equation.primitive
    operands = [_value(variable, values) for variable in equation.invars]
    results = primitive.bind(*operands, **primitive.get_bind_params(equation.params))
    results = results if primitive.multiple_results else [results]
    values.update(zip(equation.outvars, results, strict=True))


def _value(variable: core.Var | core.Literal, values: Values) -> Any:
    return variable.val if isinstance(variable, core.Literal) else values[variable]


def _known(variables: Sequence[core.Var | core.Literal], values: Values) -> list[core.Var]:
    return [x for x in variables if not isinstance(x, core.Literal) and x in values]
