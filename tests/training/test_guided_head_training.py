"""Training with a guided head: what the links move, and a network that aligns what it writes."""

import json
import random

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from steps import SGD, batch, config, leaves, network, trained
from tiny import tree, write_corpus, write_side_by_side
from typer.testing import CliRunner

from nmt import configfile
from nmt.cli import app
from nmt.evaluation.alignment import GoldLinks, score_links
from nmt.inference.output import word_links
from nmt.inference.translator import Translator
from nmt.model import parameters
from nmt.model.build import outline
from nmt.training.session import train

PLACES = [[(0, 0), (4, 0), (2, 4)], [(3, 1)], [], []]  # source and target piece
LINKS = [np.array(each, np.int32).reshape(-1, 2) for each in PLACES]
LINKED = {"path": "unused", "alignments": "unused"}
GUIDED = {"weight": 0.5, "step": "shifted"}


def test_links_move_an_isolated_head_and_nothing_else():
    plain, _ = trained(config(SGD), [batch()])
    settings = config({**SGD, "guided_alignment": GUIDED}, train=LINKED, guided_head={"size": 4})
    graph, before = nnx.split(network(settings), nnx.Param)

    @jax.jit
    @jax.grad
    def cost(params):
        """The cross-entropy of the weights one step behind each linked piece, over all tokens."""
        model, given = nnx.merge(graph, params), batch()
        previous = jnp.pad(jnp.asarray(given.target)[:, :-1], ((0, 0), (1, 0)), constant_values=2)
        encoded = model.encode(jnp.asarray(given.source), jnp.asarray(given.source_lengths))
        _, attended = model.teacher_forced(previous, encoded)
        total = 0.0
        for row, linked in enumerate(PLACES):
            for source, piece in linked:
                share = 1 / len([other for _, other in linked if other == piece])
                total -= share * jnp.log(attended.guided[row, piece + 1, source])
        return 0.5 * total / given.target_lengths.sum()

    state, [metrics] = trained(settings, [batch(links=LINKS)])

    assert metrics.costs["guided_alignment"] > 0
    for name, others in plain.params.items():
        for one, other in zip(leaves(state.params[name]), leaves(others), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)
    moves = jax.tree.map(jnp.subtract, before["guided_head"], state.params["guided_head"])
    for one, other in zip(leaves(moves), leaves(cost(before)["guided_head"]), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def distinct(count, *, seed, least=2):
    """Lines of up to six different letters, each a word."""
    draw = random.Random(seed)
    return [" ".join(draw.sample("abcdefgh", k=draw.randint(least, 6))) for _ in range(count)]


@pytest.fixture(scope="module")
def aligning(tmp_path_factory):
    """The run of a network that copies letters, with a head that is told where they come from."""
    folder = tmp_path_factory.mktemp("aligning")
    lines = distinct(400, seed=1)
    for name, part in {"train": lines, "val": distinct(40, seed=3, least=6)}.items():
        write_side_by_side(folder, name, part, part)
    links = [" ".join(f"{i}-{i}" for i in range(len(line.split()))) for line in lines]
    (folder / "train.align").write_text("\n".join(links) + "\n")
    settings = tree(
        folder / "run",
        folder,
        sentences=50,
        vocabulary=21,
        sizes=(16, 16, 32),
        dropout=0.0,
        model={"decoder": {"kind": "bahdanau"}, "guided_head": {"size": 16}},
        learning_rate=2e-2,
        max_steps=60,
        max_epochs=None,
        validate_every=60,
        metric="perplexity",
    )
    settings["data"]["train"] = {
        "path": str(folder / "train"),
        "alignments": str(folder / "train.align"),
    }
    return train(configfile.validate(settings)).path


def test_an_identity_is_aligned_without_an_error_in_given_pairs_and_in_what_is_written(aligning):
    translator, lines = Translator.load(aligning), distinct(20, seed=2)
    truth = [
        GoldLinks(sure=frozenset((i, i) for i in range(len(line.split()))), possible=frozenset())
        for line in lines
    ]

    aligned, written = translator.align(lines, lines), translator.translate(lines)

    assert {each.method for each in [*aligned, *written]} == {"guided"}
    assert score_links([word_links(each) for each in aligned], truth).aer == 0
    known = 0
    for each in written:
        source, target = each.source.split(), each.text.split()
        for place, word in enumerate(target):
            if word in source and place + 1 < len(target):
                known += 1
                assert source[dict(map(reversed, word_links(each)))[place]] == word
    assert known > 20


def test_commands_read_the_head_by_themselves_and_nmt_info_names_it(aligning, tmp_path):
    text = tmp_path / "text"
    text.write_text("a b c\nh g f e\n")
    both = ["--source", str(text), "--target", str(text)]
    run = CliRunner().invoke

    told = [run(app, [*arguments]) for arguments in (
        ["align", str(aligning), *both],
        ["align", str(aligning), *both, "--method", "guided"],
        ["translate", str(aligning), str(text), "--json", "decoding.beam=2"],
        ["info", str(aligning)],
    )]  # fmt: skip

    assert [each.exit_code for each in told] == [0, 0, 0, 0]
    assert told[0].stdout == told[1].stdout == "0-0 1-1 2-2\n0-0 1-1 2-2 3-3\n"
    found = Translator.load(aligning, beam=2).translate(["a b c", "h g f e"])
    written = [json.loads(line)["alignment"] for line in told[2].stdout.splitlines()]
    assert written == [sorted(map(list, word_links(each))) for each in found]
    facts = " ".join(told[3].stdout.replace("│", " ").split())  # a terminal breaks lines
    assert "guided head of size 16, isolated" in facts
    assert "guided_head.token.kernel" in told[3].stdout


def test_a_head_is_added_to_a_trained_network_that_stays_as_it_is(tmp_path):
    corpus = write_corpus(tmp_path)
    shared = {"vocabulary": 14, "max_steps": 2, "validate_every": 2, "metric": "perplexity"}
    plain = train(configfile.validate(tree(tmp_path / "plain", corpus, **shared)))
    (corpus / "train.align").write_text("0-0\n" * 60)
    parts = ["encoder", "decoder", "source_embedding", "target_embedding", "output", "output_bias"]
    settings = tree(
        tmp_path / "run",
        corpus,
        model={"guided_head": {"size": 3}},
        start_from=str(plain.path),
        freeze=parts,
        **shared,
    )
    train_on = {"path": str(corpus / "train"), "alignments": str(corpus / "train.align")}
    settings["data"]["train"] = train_on

    run = train(configfile.validate(settings))

    before, after = (params_of(each) for each in (plain, run))
    assert set(after) - set(before) == {
        f"guided_head.{name}.kernel" for name in ("state", "token", "annotation", "source")
    }
    for name, values in before.items():
        np.testing.assert_array_equal(after[name], values)


def params_of(run):
    _, template = outline(run.config, run.tokenizers())
    return parameters.named(run.restore("best", {"params": template})["params"])
