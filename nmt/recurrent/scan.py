"""A scan that takes the gradients of matrices once, after the loop, instead of inside it.

Differentiated plainly, a recurrence s_t = f(s_{t-1} U) adds one product to the gradient of U at
each step of the walk back:

    for t = T .. 1:    dU += s_{t-1}^T dz_t         (hidden x batch) times (batch x gates)

dz_t, the gradient of z_t = s_{t-1} U, has to wait for the step after it; the sum has not. A batch
is a short side for a product, and every step reads and writes the whole of dU. Put off until the
loop is through, it is one large product over the rows of all steps:

    dU = S^T dZ                                     (hidden x T batch) times (T batch x gates)

`scan` does this for every product in a step that has an operand which is the same at all steps:
the matrices of the cells, of input feeding and of the query, and also the keys and the annotations
that attention reads. It finds them in the traced step (its jaxpr), so that models, with a user's
own score function, are written as their papers print them:

1. What depends on neither the state nor the inputs is computed once, before the loop.
2. A product with such an invariant C is tapped: the loop keeps its other operand a_t on the way
   forward, and hands out dz_t on the way back, where C counts as a constant.
3. After the loop, dC comes from all a_t and dz_t at once.

All the rest is left to `lax.scan` and plain autodiff. Reverse mode only. Products inside a
function that is jitted or checkpointed within the step are differentiated plainly.
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
    """Returns what `jax.lax.scan` returns; gradients differ in the order of their sums alone."""
    start, state_tree = jax.tree.flatten(initial)
    times, input_tree = jax.tree.flatten(inputs)
    trees = []

    def leafwise(state: Leaves, now: Leaves) -> Leaves:
        found = step(jax.tree.unflatten(state_tree, state), jax.tree.unflatten(input_tree, now))
        leaves, tree = jax.tree.flatten(found)
        trees.append(tree)
        return leaves

    traced = jax.make_jaxpr(leafwise)(start, [time[0] for time in times])
    loop, invariants = _split(traced, reverse=reverse)
    matrices = [invariants[product.matrix] for product in loop.products]
    others = [invariants[variable] for variable in loop.others]
    found = _run(loop, matrices, others, start, times)
    return jax.tree.unflatten(trees[0], found)


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
        """The one that changes."""
        return self.equation.invars[1 - self.side]

    @property
    def result(self) -> Any:
        """The product itself."""
        return self.equation.outvars[0]

    def __call__(self, matrix: Any, operand: Any) -> Any:
        """Returns the product of one step."""
        operands = (matrix, operand) if self.side == 0 else (operand, matrix)
        return self.equation.primitive.bind(*operands, **self.equation.params)

    def gradient(self, matrix: Any, operands: Any, gradients: Any) -> Any:
        """Returns that of the matrix, from the operands and the gradients of all steps."""
        of_all_steps = jax.vmap(self, in_axes=(None, 0))
        transposed = jax.linear_transpose(lambda matrix: of_all_steps(matrix, operands), matrix)
        return transposed(gradients)[0]


@dataclass(frozen=True, eq=False)
class Loop:
    """The part of a step that stays in the loop."""

    equations: Sequence[core.JaxprEqn | Product]
    inputs: Sequence[core.Var]  # the state, then the inputs of the step
    outputs: Sequence[core.Var | core.Literal]  # the next state, then the outputs of the step
    others: Sequence[core.Var]  # invariants that are read elsewhere than in products
    reverse: bool

    @property
    def products(self) -> list[Product]:
        """The equations whose gradients are put off."""
        return [each for each in self.equations if isinstance(each, Product)]


def _split(traced: core.ClosedJaxpr, *, reverse: bool) -> tuple[Loop, Values]:
    """Returns the loop, and the values of all that is computed before it."""
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
    """Runs the loop, and keeps what the way back needs."""
    steps = inputs[0].shape[0]
    results = [product.result.aval for product in loop.products]
    taps = [jnp.zeros((steps, *result.shape), result.dtype) for result in results]
    outputs, pull_back, operands = jax.vjp(
        partial(_scan, loop, matrices), others, initial, inputs, taps, has_aux=True
    )
    return outputs, (matrices, operands, pull_back)


def _backward(loop: Loop, kept: Any, gradients: Leaves) -> tuple[Leaves, ...]:
    """Runs the loop backwards, then takes the gradients of all matrices."""
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

    def step(state: Leaves, now: tuple[Leaves, Leaves]) -> tuple[Leaves, tuple[Leaves, Leaves]]:
        inputs, taps = now
        values = invariants | dict(zip(loop.inputs, [*state, *inputs], strict=True))
        factors, operands = iter(zip(matrices, taps, strict=True)), []
        for equation in loop.equations:
            if isinstance(equation, Product):
                matrix, tap = next(factors)
                operands.append(values[equation.operand])
                values[equation.result] = _tap(equation(matrix, operands[-1]), tap)
            else:
                _evaluate(equation, values)
        found = [_value(variable, values) for variable in loop.outputs]
        return found[: len(state)], (found[len(state) :], operands)

    state, (outputs, operands) = lax.scan(step, initial, (inputs, taps), reverse=loop.reverse)
    return [*state, *outputs], operands


@jax.custom_vjp
def _tap(value: Any, tap: Any) -> Any:
    """Returns the value; on the way back, the tap gets its gradient too."""
    return value


_tap.defvjp(lambda value, tap: (value, None), lambda _, gradient: (gradient, gradient))


def _pays(product: Product) -> bool:
    """Returns whether to put a gradient off: where what is kept for it is less than it carries."""
    is_product = product.equation.primitive is core.primitives.dot_general_p
    return is_product and product.operand.aval.size < product.matrix.aval.size


def _evaluate(equation: core.JaxprEqn, values: Values) -> None:
    """Adds what an equation defines to the values."""
    primitive = equation.primitive
    operands = [_value(variable, values) for variable in equation.invars]
    found = primitive.bind(*operands, **primitive.get_bind_params(equation.params))
    values.update(
        zip(equation.outvars, found if primitive.multiple_results else [found], strict=True)
    )


def _value(variable: core.Var | core.Literal, values: Values) -> Any:
    return variable.val if isinstance(variable, core.Literal) else values[variable]


def _known(variables: Sequence[core.Var | core.Literal], values: Values) -> list[core.Var]:
    return [x for x in variables if not isinstance(x, core.Literal) and x in values]
