"""Target tokens a second of the same networks in plain PyTorch: what `nmt bench` is set against.

    python benchmarks/torch_reference.py --size rnnsearch50 --type bfloat16 --compile

The models are those of `nmt bench`, for which PyTorch has a GRU of its own (cuDNN on a GPU): the
bidirectional encoder over whole sentences, and the cell of the decoder, which waits for attention.
Batches are full of made-up tokens, so nothing is masked, which spares PyTorch some work. Adam,
gradients clipped to norm 1, label smoothing of 0.1, dropout with one mask a sentence.

Prints one line of JSON with the median over the repeats. PyTorch is no dependency of nmt:
install it yourself, in an environment of its own if you like.
"""

import argparse
import json
import sys
from statistics import median
from time import perf_counter

try:
    import torch
except ImportError:
    sys.exit("torch_reference.py needs PyTorch, which nmt does not install: pip install torch")

from torch import Tensor, nn
from torch.nn import functional

BOS, EOS = 2, 3

# those of nmt/bench/sizes.py, which cannot be imported where there is no jax
SIZES = {
    "multi30k": {
        "kind": "luong",
        "rows": 64,
        "length": 16,
        "vocabulary": 8000,
        "embed": 256,
        "half": 256,
        "state": 512,
        "readout": 256,
        "dropout": 0.3,
    },
    "rnnsearch50": {
        "kind": "bahdanau",
        "rows": 80,
        "length": 30,
        "vocabulary": 30000,
        "embed": 620,
        "half": 1000,
        "state": 1000,
        "readout": 500,
        "dropout": 0.0,
    },
}


class Dropout(nn.Module):
    """Drops the same components at every position of a sentence."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def mask(self, like: Tensor, size: int) -> Tensor:
        """Returns (rows, size) factors."""
        return functional.dropout(like.new_ones(len(like), size), self.rate)

    def forward(self, values: Tensor) -> Tensor:
        """Returns (rows, length, size) values, some of them zero."""
        return values * self.mask(values, values.shape[-1])[:, None]


class Attention(nn.Module):
    """The additive score and the context (Bahdanau et al. 2015, appendix A.1.2)."""

    def __init__(self, query: int, annotation: int) -> None:
        super().__init__()
        self.query = nn.Linear(query, query, bias=False)
        self.key = nn.Linear(annotation, query, bias=False)
        self.energy = nn.Linear(query, 1, bias=False)

    def forward(self, state: Tensor, annotations: Tensor, keys: Tensor) -> Tensor:
        """Returns the (rows, annotation) context."""
        energies = self.energy(torch.tanh(self.query(state)[:, None] + keys)).squeeze(-1)
        weights = torch.softmax(energies.float(), dim=-1).to(annotations.dtype)
        return torch.bmm(weights[:, None], annotations).squeeze(1)


class LuongDecoder(nn.Module):
    """Moves, attends, and feeds the attentional vector to the next step."""

    def __init__(self, embed: int, annotation: int, state: int, readout: int, rate: float) -> None:
        super().__init__()
        self.dropout, self.readout_size = Dropout(rate), readout
        self.attention = Attention(state, annotation)
        self.cell = nn.GRUCell(embed + readout, state)
        self.combine = nn.Linear(annotation + state, readout, bias=False)

    def forward(self, embedded: Tensor, state: Tensor, annotations: Tensor) -> Tensor:
        """Returns (rows, length, readout), given the true previous tokens."""
        keys = self.attention.key(annotations)
        mask = self.dropout.mask(annotations, self.readout_size)
        feed, readouts = torch.zeros_like(mask), []
        for now in embedded.unbind(1):
            state = self.cell(torch.cat([now, feed], -1), state)
            context = self.attention(state, annotations, keys)
            feed = torch.tanh(self.combine(torch.cat([context, state], -1))) * mask
            readouts.append(feed)
        return torch.stack(readouts, 1)


class BahdanauDecoder(nn.Module):
    """Attends, moves, and reads out through a maxout layer, for all positions at once."""

    def __init__(self, embed: int, annotation: int, state: int, readout: int, rate: float) -> None:
        super().__init__()
        self.dropout = Dropout(rate)
        self.attention = Attention(state, annotation)
        self.cell = nn.GRUCell(embed + annotation, state)
        self.maxout = nn.Linear(state + annotation + embed, 2 * readout)

    def forward(self, embedded: Tensor, state: Tensor, annotations: Tensor) -> Tensor:
        """Returns (rows, length, readout), given the true previous tokens."""
        keys = self.attention.key(annotations)
        features = []
        for now in embedded.unbind(1):
            context = self.attention(state, annotations, keys)
            state = self.cell(torch.cat([now, context], -1), state)
            features.append(torch.cat([state, context, now], -1))
        first, second = self.maxout(torch.stack(features, 1)).chunk(2, -1)
        return self.dropout(torch.maximum(first, second))


class Seq2Seq(nn.Module):
    """A bidirectional GRU encoder, an attentional decoder, the logits and the loss."""

    def __init__(self, size: dict) -> None:
        super().__init__()
        embed, half, state, readout = (size[k] for k in ("embed", "half", "state", "readout"))
        kind = {"luong": LuongDecoder, "bahdanau": BahdanauDecoder}[size["kind"]]
        self.source = nn.Embedding(size["vocabulary"], embed)
        self.target = nn.Embedding(size["vocabulary"], embed)
        self.encoder = nn.GRU(embed, half, batch_first=True, bidirectional=True)
        self.initial = nn.Linear(2 * half, state)
        self.decoder = kind(embed, 2 * half, state, readout, size["dropout"])
        self.output = nn.Linear(readout, size["vocabulary"])
        self.dropout = Dropout(size["dropout"])

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Returns the mean loss of a target token."""
        previous = functional.pad(target[:, :-1], (1, 0), value=BOS)
        annotations, last = self.encoder(self.dropout(self.source(source)))
        annotations = self.dropout(annotations)
        state = torch.tanh(self.initial(torch.cat([last[0], last[1]], -1)))
        embedded = self.dropout(self.target(previous)).to(annotations.dtype)
        logits = self.output(self.decoder(embedded, state, annotations)).float()
        return functional.cross_entropy(logits.flatten(0, 1), target.flatten(), label_smoothing=0.1)


def measure(size: dict, arguments: argparse.Namespace) -> dict:
    """Returns the figures of one size."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_float32_matmul_precision("high")  # TF32 on a GPU, as XLA multiplies float32 there
    torch.manual_seed(1)
    model = Seq2Seq(size).to(device)
    forward = torch.compile(model) if arguments.compile else model
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4)
    rows, length, vocabulary = arguments.rows or size["rows"], size["length"], size["vocabulary"]
    source, target = torch.randint(EOS + 1, vocabulary, (2, rows, length), device=device)
    narrow = arguments.type == "bfloat16"

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=narrow):
            loss = forward(source, target)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()

    seconds = [_timed(step) for _ in range(arguments.warmup + arguments.repeats)]
    return {
        "target_tokens_per_second": rows * length / median(seconds[arguments.warmup :]),
        "rows": rows,
        "length": length,
        "type": arguments.type,
        "compile": arguments.compile,
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
    }


def _timed(step) -> float:
    start = perf_counter()
    step()
    return perf_counter() - start


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="multi30k")
    parser.add_argument("--rows", type=int, help="sentences of a batch")
    parser.add_argument("--type", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--compile", action="store_true", help="through torch.compile")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--warmup", type=int, default=3)
    arguments = parser.parse_args()
    print(json.dumps({"size": arguments.size, **measure(SIZES[arguments.size], arguments)}))
