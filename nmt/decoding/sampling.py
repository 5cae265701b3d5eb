"""Translations drawn token by token: greedily, or at random from the model's distribution."""

import dataclasses
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import struct
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Key, Shaped

from nmt.decoding.hypotheses import Hypotheses, Memory, State, Step, forbid, largest
from nmt.errors import ConfigError


@runtime_checkable
class Strategy(Protocol):
    """How the next token is chosen; hashable, so that it may be a static argument of jit."""

    def __call__(
        self, log_probs: Float[Array, "batch vocab"], keys: Key[Array, " batch"]
    ) -> Int[Array, " batch"]:
        """Returns one token for each row; impossible tokens have log-probability -inf."""
        ...


@dataclasses.dataclass(frozen=True)
class Greedy:
    """Always the likeliest token; of equal ones the smallest id."""

    def __call__(
        self, log_probs: Float[Array, "batch vocab"], keys: Key[Array, " batch"]
    ) -> Int[Array, " batch"]:
        """Returns the argmax of each row."""
        return jnp.argmax(log_probs, axis=-1)


@dataclasses.dataclass(frozen=True)
class Temperature:
    """Draws from p ** (1 / temperature), normalised: 1 is the model, towards 0 is greedy."""

    temperature: float = 1.0

    def __post_init__(self) -> None:
        _check_temperature(self.temperature)

    def __call__(
        self, log_probs: Float[Array, "batch vocab"], keys: Key[Array, " batch"]
    ) -> Int[Array, " batch"]:
        """Returns a draw for each row."""
        return _draw(log_probs / self.temperature, keys)


@dataclasses.dataclass(frozen=True)
class TopK:
    """Draws from the `k` likeliest tokens alone (Fan et al. 2018)."""

    k: int
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ConfigError(f"top-k sampling: k is {self.k}; give at least 1")
        _check_temperature(self.temperature)

    def __call__(
        self, log_probs: Float[Array, "batch vocab"], keys: Key[Array, " batch"]
    ) -> Int[Array, " batch"]:
        """Returns a draw for each row."""
        likeliest, tokens = largest(log_probs, min(self.k, log_probs.shape[-1]))
        return _pick(tokens, _draw(likeliest / self.temperature, keys))


@dataclasses.dataclass(frozen=True)
class TopP:
    """Draws from the nucleus: the fewest tokens of probability `p` together.

    Holtzman et al. (2020), section 3.1. The temperature is applied before the nucleus is taken.
    """

    p: float
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.p <= 1:
            raise ConfigError(f"top-p sampling: p is {self.p}; give more than 0 and at most 1")
        _check_temperature(self.temperature)

    def __call__(
        self, log_probs: Float[Array, "batch vocab"], keys: Key[Array, " batch"]
    ) -> Int[Array, " batch"]:
        """Returns a draw for each row."""
        tempered = jax.nn.log_softmax(log_probs / self.temperature)
        ordered, tokens = lax.top_k(tempered, log_probs.shape[-1])
        probabilities = jnp.exp(ordered)
        likelier = jnp.cumsum(probabilities, axis=-1) - probabilities
        # The likeliest token has nothing before it: the nucleus is never empty.
        nucleus = jnp.where(likelier < self.p, ordered, -jnp.inf)
        return _pick(tokens, _draw(nucleus, keys))


def greedy(
    step: Step,
    state: State,
    memory: Memory,
    *,
    max_length: Int[Array, " batch"],
    limit: int,
    source_length: int,
    bos: int,
    eos: int,
    pad: int,
) -> Hypotheses:
    """Returns the translation of each sentence that takes the likeliest token every time."""
    return sample(
        step,
        state,
        memory,
        keys=jax.random.split(jax.random.key(0), max_length.shape[0]),  # greedy draws nothing
        strategy=Greedy(),
        max_length=max_length,
        limit=limit,
        source_length=source_length,
        bos=bos,
        eos=eos,
        pad=pad,
    )


def sample(
    step: Step,
    state: State,
    memory: Memory,
    *,
    keys: Key[Array, " batch"],
    strategy: Strategy,
    max_length: Int[Array, " batch"],
    limit: int,
    source_length: int,
    bos: int,
    eos: int,
    pad: int,
) -> Hypotheses:
    """Returns one translation of each sentence, a beam of one.

    A sentence draws from its own key alone, whatever else is in the batch. Log-probabilities are
    the model's, not those of the strategy, and scores are the same: nothing competes. The other
    arguments are those of `beam.search`.
    """
    max_length = jnp.minimum(max_length, limit)

    def advance(drawn: _Drawn) -> _Drawn:
        model, log_probs, attention = step(drawn.model, drawn.last, memory)
        log_probs = forbid(log_probs, bos, pad)
        now = jax.vmap(jax.random.fold_in, in_axes=(0, None))(keys, drawn.time)
        tokens = strategy(log_probs, now)
        going = ~drawn.done
        gained = jnp.where(going, _pick(log_probs, tokens), 0.0)
        attention = jnp.where(going[:, None], attention, 0.0)
        return _Drawn(
            time=drawn.time + 1,
            done=drawn.done | (tokens == eos) | (drawn.time + 1 >= max_length),
            model=model,
            last=tokens,
            lengths=drawn.lengths + going,
            log_probs=drawn.log_probs + gained,
            tokens=drawn.tokens.at[drawn.time].set(jnp.where(going, tokens, pad)),
            attention=drawn.attention.at[drawn.time].set(attention),
        )

    start = _init(state, max_length, limit=limit, source_length=source_length, bos=bos, pad=pad)
    return lax.while_loop(lambda drawn: ~jnp.all(drawn.done), advance, start).hypotheses()


@struct.dataclass
class _Drawn:
    """What the loop carries; nothing more is added to sentences that are `done`."""

    time: Int[Array, ""]
    done: Bool[Array, " batch"]
    model: State
    last: Int[Array, " batch"]  # the token that is read next
    lengths: Int[Array, " batch"]
    log_probs: Float[Array, " batch"]
    tokens: Int[Array, "limit batch"]
    attention: Float[Array, "limit batch src"]

    def hypotheses(self) -> Hypotheses:
        return Hypotheses(
            tokens=self.tokens.T[:, None],
            lengths=self.lengths[:, None],
            log_probs=self.log_probs[:, None],
            scores=self.log_probs[:, None],
            attention=jnp.moveaxis(self.attention, 0, 1)[:, None],
        )


def _init(
    state: State,
    max_length: Int[Array, " batch"],
    *,
    limit: int,
    source_length: int,
    bos: int,
    pad: int,
) -> _Drawn:
    batch = max_length.shape[0]
    return _Drawn(
        time=jnp.zeros((), jnp.int32),
        done=max_length <= 0,
        model=state,
        last=jnp.full(batch, bos, jnp.int32),
        lengths=jnp.zeros(batch, jnp.int32),
        log_probs=jnp.where(max_length > 0, 0.0, -jnp.inf),
        tokens=jnp.full((limit, batch), pad, jnp.int32),
        attention=jnp.zeros((limit, batch, source_length)),
    )


def _check_temperature(temperature: float) -> None:
    if temperature <= 0:
        raise ConfigError(f"sampling: temperature is {temperature}; give more than 0")


def _draw(logits: Float[Array, "batch vocab"], keys: Key[Array, " batch"]) -> Int[Array, " batch"]:
    return jax.vmap(jax.random.categorical)(keys, logits)


def _pick(
    values: Shaped[Array, "batch vocab"], ids: Int[Array, " batch"]
) -> Shaped[Array, " batch"]:
    return jnp.take_along_axis(values, ids[:, None], axis=-1)[:, 0]
