"""Models that must learn: to copy and to reverse, with attention where it belongs."""

import pytest
from tiny import letters, tree, write_side_by_side

from nmt import configfile
from nmt.evaluation.alignment import GoldLinks, score_links
from nmt.evaluation.metrics import bleu
from nmt.inference.output import word_links
from nmt.inference.translator import Translator
from nmt.training.session import train

FEEDING = {"kind": "luong", "input_feeding": True}
PLAIN = {"kind": "luong", "input_feeding": False}
BAHDANAU = {"kind": "bahdanau"}
CONDITIONAL = {"kind": "conditional"}
VARIANTS = [
    ("reverse", FEEDING, {"score": "additive"}),
    ("copy", BAHDANAU, {"score": "additive"}),
    ("reverse", BAHDANAU, {"score": "normed_additive"}),
    ("copy", PLAIN, {"score": "general"}),
    ("reverse", PLAIN, {"score": "scaled_general"}),
    ("reverse", FEEDING, {"score": "dot"}),
    ("reverse", BAHDANAU, {"score": "scaled_dot"}),
    ("copy", BAHDANAU, {"score": "location"}),
    ("reverse", FEEDING, {"normalizer": "sparsemax"}),
    ("reverse", PLAIN, {"normalizer": "entmax15"}),
    ("copy", FEEDING, {"mechanism": "local_m", "window": 2}),
    ("reverse", FEEDING, {"mechanism": "local_p", "window": 3}),
    ("reverse", FEEDING, {"mechanism": "hard"}),
    ("reverse", BAHDANAU, {"mechanism": "hard", "estimator": "gumbel"}),
    ("copy", FEEDING, {"mechanism": "monotonic", "score": "normed_additive"}),
    ("reverse", FEEDING, {"coverage": "linguistic"}),
    ("reverse", BAHDANAU, {"coverage": "neural"}),
    ("reverse", FEEDING, {"mechanism": "multi_head", "score": "scaled_dot", "heads": 2}),
    ("reverse", CONDITIONAL, {"score": "additive"}),
    ("copy", CONDITIONAL | {"transitions": 4}, {"score": "general"}),
    ("copy", CONDITIONAL | {"layers": 2}, {"mechanism": "monotonic", "score": "normed_additive"}),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "decoder", "attention"),
    VARIANTS,
    ids=lambda part: part if isinstance(part, str) else "-".join(map(str, part.values())),
)
def test_a_task_is_learnt_with_attention_where_it_belongs(tmp_path, task, decoder, attention):
    parts = {"train": (4000, 1), "val": (60, 2), "test": (100, 3)}
    for name, (count, seed) in parts.items():
        source = letters(count, longest=7, seed=seed)
        target = [" ".join(line.split()[::-1]) if task == "reverse" else line for line in source]
        write_side_by_side(tmp_path, name, source, target)
    run = train(
        configfile.validate(
            tree(
                tmp_path / "run",
                tmp_path,
                sentences=64,
                vocabulary=21,
                sizes=(32, 32, 64),
                dropout=0.0,
                model={"decoder": decoder, "attention": attention},
                learning_rate=1e-2,
                schedule={"kind": "cosine", "warmup_steps": 50},
                label_smoothing=0.0,
                max_epochs=12,
                validate_every=1000,
            )
        )
    )

    translator = Translator.load(run.path, batch=100)
    translations = translator.translate(source)
    forced = translator.align(source, target)

    gold = [
        frozenset(
            (length - 1 - place if task == "reverse" else place, place) for place in range(length)
        )
        for length in (len(line.split()) for line in source)
    ]
    golden = [GoldLinks(sure=pairs, possible=pairs) for pairs in gold]
    assert bleu([each.text for each in translations], target).value > 95
    assert score_links([word_links(each) for each in forced], golden).aer < 0.05
