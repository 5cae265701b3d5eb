"""Lines that are divided: their parts are jobs, and the answer is that of the whole line."""

import asyncio
import json
import socket
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
from asking import serving, until
from starlette.requests import Request

from nmt.inference import limits
from nmt.inference.translation import empty_translation
from nmt.inference.translator import Translator
from nmt.run import Run
from nmt.serving import starting
from nmt.serving.answers import NO_ROOM, WEIGHTS, fitting
from nmt.serving.service import SHORT, aside
from nmt.serving.tasks import Result

SENTENCES = ["a b。", "e f g。", "f。", "b c a d。", "h g。"]  # their signs are set aside
LINES = ["".join(SENTENCES), "", "a b", "".join(SENTENCES[::-1] * 3), "a。b c。"]
CUTTING = {"beam": 1, "max_output_ratio": 0.1, "max_extra": 3}  # after two words
TOGETHER = 60 * "a b c d。"  # of sixty parts


@pytest.mark.usefixtures("room")
@pytest.mark.parametrize(
    ("settings", "n_best", "method"),
    [({}, 3, "attention"), ({}, 2, "shifted"), (CUTTING, 1, "attention")],
    ids=["several", "explained", "cut"],
)
def test_an_answer_is_that_of_the_whole_line(noisy_run, settings, n_best, method):
    translator = Translator.load(noisy_run, split="always", **settings)
    metrics, data = starting.Metrics(), Run.open(noisy_run).config.data
    model = starting.served("x", translator, data, metrics=metrics, threads=2, longest=0)
    noted = []
    whole = translator.changed(warn=lambda lines, message: noted.append((lines, message)))
    expected = list(whole.stream(LINES, n_best=n_best))

    with serving(starting.Service([model], metrics, starting.Limits())) as client:
        found = client.translated(LINES, n_best=n_best, attention=True, method=method)
    model.close(60)

    assert [len(ranked) for ranked in found] == [len(ranked) for ranked in expected]
    for ranked, wanted in zip(found, expected, strict=True):
        explained = wanted if method == "attention" else whole.explain(wanted, method=method)
        for answer, each in zip(ranked, explained, strict=True):
            assert (answer["text"], answer["is_cut"]) == (each.text, each.is_cut)
            assert (answer["method"], answer["source"]) == (each.method, each.source)
            assert answer["score"] == pytest.approx(each.score, abs=1e-4)
            assert answer["log_prob"] == pytest.approx(each.log_prob, abs=1e-4)
            assert answer["source_pieces"] == list(each.source_pieces)
            assert answer["target_pieces"] == list(each.target_pieces)
            np.testing.assert_allclose(answer["piece_log_probs"], each.piece_log_probs, atol=1e-4)
            weights = np.reshape(answer["attention"], each.words.weights.shape)
            np.testing.assert_allclose(weights, each.words.weights, atol=1e-3)
    warned = [number for number, ranked in enumerate(found, 1) if "warning" in ranked[0]]
    assert [(warned, limits.CUT)] * bool(warned) == noted
    assert warned == ([1, 4] if settings else [])
    assert all(found[number - 1][0]["warning"] == limits.CUT for number in warned)


def test_a_line_of_another_comes_between_the_parts_of_a_long_one(service, busy):
    given, done = service(), []
    with serving(given) as client, ThreadPoolExecutor(2) as others:

        def ask(line):
            client.translated(line, sentences=True)
            done.append(line)

        asked = [others.submit(ask, TOGETHER)]
        until(lambda: given.in_flight.total() == 60)
        asked.append(others.submit(ask, "a b c d"))
        until(lambda: given.in_flight.total() == 61)
        busy.set()
        for each in asked:
            each.result(60)

    assert done == ["a b c d", TOGETHER]


@pytest.mark.parametrize("accept", ["*/*", "application/x-ndjson"])
def test_the_parts_of_a_client_that_has_gone_are_dropped(service, models, busy, accept):
    given = service()
    with serving(given) as client:
        body = json.dumps({"text": TOGETHER, "sentences": True}).encode()
        head = f"POST /v1/translate HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\n"
        with socket.create_connection(("127.0.0.1", client.port)) as gone:
            gone.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            until(lambda: given.in_flight.total() == 60)
        until(lambda: given.in_flight.total() == 0)
        waiting = [job for job in models[0].engine._waiting if not job.future.cancelled()]
        assert waiting == []


def test_a_search_is_in_flight_until_it_has_ended_even_if_nobody_waits(service):
    given, running, waiting = service(client=2), Future(), Future()
    request = Request({"type": "http", "client": ("192.0.2.1", 5)})

    async def give_up():
        futures = given.awaited(request, [running, waiting])
        assert running.set_running_or_notify_cancel()
        for each in futures:
            each.cancel()
        await asyncio.sleep(0.01)

    asyncio.run(give_up())

    assert waiting.cancelled()
    assert (given.in_flight.of("192.0.2.1"), given.in_flight.total()) == (1, 1)
    assert given.metrics.registry.get_sample_value("nmt_lines_in_flight") == 1
    running.set_result(None)
    assert (given.in_flight.of("192.0.2.1"), given.in_flight.total()) == (0, 0)


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        ({"client": 59}, 413, "lines that are divided into 60 sentences; at most 59 are taken"),
        ({"queue": 59}, 413, "lines that are divided into 60 sentences; at most 59 are taken"),
        ({"client": 61}, 429, "2 lines of yours without an answer yet, and 60 more would be over"),
        ({"queue": 61}, 503, "2 lines without an answer yet, and 60 more would be over 61; try"),
        ({"client": 62, "queue": 62, "lines": 1}, 200, None),
    ],
)
def test_a_part_counts_as_a_line(service, busy, options, status, message):
    given = service(**options)
    with serving(given) as client, ThreadPoolExecutor(1) as other:
        first = other.submit(client.translated, "a。b。", sentences=True)
        until(lambda: given.in_flight.total() == 2)
        threading.Timer(0.5, busy.set).start()
        found, answer = client.post("/v1/translate", {"text": TOGETHER, "sentences": True})
        first.result(60)

    assert found == status
    assert answer.get("error", "").startswith(message or "")


def test_an_answer_has_a_million_weights_at_most(client):
    line = "a b" + 1_100 * " 😀"  # which are copied
    [[long], [short]] = client.translated([line, "a b"], attention=True)

    assert long["text"] == line
    assert len(long["source_words"]) * len(long["target_words"]) == 1_102**2 > WEIGHTS
    assert long["warning"] == NO_ROOM
    assert "attention" not in long
    assert len(short["attention"]) == 2
    assert "warning" not in short
    [[without]] = client.translated(line)
    assert "warning" not in without


def test_lines_whose_matrices_fit_beside_those_before_have_them():
    def line(*sizes):
        words = [(source * "a ", target * "b ") for source, target in sizes]
        return Result([empty_translation(*each) for each in words], [])

    small = line((1_000, 300), (300, 1_000))
    lines = [small, line((1_000, 401)), line((4, 100_000)), line((1, 1)), line((0, 5))]
    assert fitting(lines) == [True, False, True, False, True]


def test_a_long_line_has_attention_only_if_it_is_wanted_and_not_too_large(models):
    line = 3 * "a b c d。"  # of 5 x 3 pieces at least on each side, the ends included

    def found(**options):
        divided = models[0].divided([line], sentences=True, n_best=2, **options)
        [parts] = models[0].translate(divided)
        ranked = [part.result(timeout=60) for part in parts]
        return divided.task.joined(divided.lines[0], ranked, most=divided.most)

    [expected] = models[0].translator.dividing().stream([line], n_best=2)
    without, small, large = found(), found(most=2 * 15 * 15 - 1), found(most=10_000)
    assert [each.attention for each in (without, small, large)] == [False, False, True]
    for each in (without, small, large):
        assert [one.text for one in each.ranked] == [one.text for one in expected]
        assert [one.target_pieces for one in each.ranked] == [o.target_pieces for o in expected]
    for one, other in zip(large.ranked, expected, strict=True):
        np.testing.assert_allclose(one.attention, other.attention, atol=1e-5)
    for one, other in zip(without.ranked, expected, strict=True):
        assert one.attention.shape == other.attention.shape
        assert one.attention.strides == (0, 0)  # it takes no memory
    assert fitting([without, small, large]) == [False, False, True]


def test_a_given_pair_of_too_many_words_is_refused_before_it_is_read(client):
    pair = {"source_text": 1_001 * "a ", "target_text": 1_000 * "a ", "model": "copy"}
    status, answer = client.post("/v1/explain", pair)

    assert status == 413
    assert answer["error"].startswith("a matrix of 1,001,000 weights; at most 1,000,000 are given")


def test_what_takes_time_has_a_thread_of_its_own():
    async def threads():
        here = threading.get_ident()
        return [await aside(threading.get_ident, size) == here for size in (SHORT, SHORT + 1)]

    assert asyncio.run(threads()) == [True, False]
