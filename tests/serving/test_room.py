"""How much of a request is in flight where its answer needs more work than its lines."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from asking import held, serving, until
from tiny import letters

from nmt.serving.service import SLICE


@pytest.fixture
def others(models):
    """The other engine of the first model, which is busy until it is set."""
    with held(models[0].others) as done:
        yield done


@pytest.mark.parametrize(
    ("limits", "lines", "n_best", "at_once"),
    [
        ({"client": 3}, ["a b"], 5, 3),
        ({"queue": 3}, ["a b"], 5, 3),
        ({"client": 1, "queue": 1}, ["a b"], 5, 1),
        ({}, [*letters(70, longest=4, seed=3)], 1, SLICE),
    ],
)
def test_explanations_take_no_more_room_than_there_is(
    service, models, others, limits, lines, n_best, at_once
):
    given, translator = service(**limits), models[0].translator
    ranked = list(translator.stream(lines, n_best=n_best))
    wanted = [each for line in ranked for each in translator.explain(line, method="saliency")]
    assert len(wanted) > at_once
    body = {"model": "copy", "n_best": n_best, "attention": True, "method": "saliency"}

    with serving(given) as client, ThreadPoolExecutor(1) as asking:
        asked = asking.submit(client.translated, lines, **body)
        until(lambda: 0 < len(models[0].others._waiting) == given.in_flight.total(), 60)
        assert given.in_flight.total() == at_once
        others.set()
        found = [each for line in asked.result(60) for each in line]

    for answer, each in zip(found, wanted, strict=True):
        assert (answer["text"], answer["method"]) == (each.text, "saliency")
        np.testing.assert_allclose(answer["attention"], each.words.weights, atol=1e-3)
