"""What is compiled before anybody asks, and who translates what is not."""

import json

import pytest
from asking import held

from nmt.inference import programs
from nmt.inference.translator import Translator
from nmt.run import Run
from nmt.serving import starting

SAMPLE = {"strategy": "sample"}


@pytest.fixture(scope="module")
def warm(copy_run):
    """Serves models whose programs for short lines are compiled, one of each settings."""
    programs._program.cache_clear()
    made = {}

    def serve(settings):
        key = json.dumps(settings)
        if key not in made:
            data = Run.open(copy_run).config.data
            translator = Translator.load(copy_run, beam=3, **settings)
            options = {"metrics": starting.Metrics(), "threads": 1, "longest": 8}
            made[key] = starting.served("x", translator, data, **options)
        return made[key]

    yield serve
    for each in made.values():
        each.close(60)


def asked(model, *texts, n_best=1):
    return [future for [future] in model.translate(model.divided(texts, n_best=n_best))]


@pytest.mark.parametrize(
    ("settings", "n_best", "requests"),
    [
        ({}, 1, [["a b", "c d"], ["e"]]),
        ({}, 3, [["a b"], ["c d"], ["e"]]),  # of several users of the page
        ({}, 2, [["a b"]]),
        ({"mbr": "chrf"}, 1, [["a b", "c d"], ["e"]]),
        ({"mbr": "chrf"}, 2, [["a b", "c d"], ["e"]]),
        (SAMPLE, 1, [["a b", "c d"], ["e"]]),
    ],
)
def test_what_most_ask_for_has_been_compiled(warm, settings, n_best, requests):
    model = warm(settings)
    compiled = programs._program.cache_info().misses

    with held(model.others):
        with held(model.engine):
            waiting = [asked(model, *texts, n_best=n_best) for texts in requests]
        found = [future.result(60).ranked for futures in waiting for future in futures]

    assert programs._program.cache_info().misses == compiled
    expected = model.translator.stream(
        [line for texts in requests for line in texts], n_best=n_best
    )
    if settings != SAMPLE:
        assert [[e.text for e in ranked] for ranked in found] == [
            [each.text for each in ranked] for ranked in expected
        ]


@pytest.mark.parametrize(
    ("settings", "n_best", "texts"),
    [({}, 3, ["a b", "c d"]), (SAMPLE, 2, ["a b"]), (SAMPLE, 2, ["a b", "c d"])],
)
def test_plain_lines_do_not_wait_for_what_may_be_compiled(warm, settings, n_best, texts):
    model = warm(settings)
    compiled = programs._program.cache_info().misses

    with held(model.others):
        wide = asked(model, *texts, n_best=n_best)
        [plain] = asked(model, "e f")
        assert plain.result(60).ranked[0].text
        assert not any(future.done() for future in wide)
        assert programs._program.cache_info().misses == compiled

    assert [future.result(60).ranked[0].source for future in wide] == texts
