import dataclasses
import random

import numpy as np
import pytest
from flax import nnx

from nmt import configfile
from nmt.decoding.programs import search
from nmt.decoding.translator import Translator, build_model
from nmt.errors import ConfigError, DataError, RunError
from nmt.run import Run


@pytest.fixture(scope="module")
def translator(copy_run):
    return Translator.load(copy_run)


def with_settings(translator, **settings):
    config = translator.config.model_copy(update=settings)
    return Translator(
        translator.graph, translator.params, tokenizers=translator.tokenizers, config=config
    )


LINES = ["a b c", "", "h g f e d c", "   ", "b", "c c", "a h b g c f"]


def test_every_line_has_one_translation_in_its_place(translator):
    translations = translator.translate(LINES)

    assert [each.source for each in translations] == LINES
    assert [each.text for each in translations] == [" ".join(line.split()) for line in LINES]


def test_an_empty_line_has_an_empty_translation(translator):
    (empty,) = translator.translate([""])

    assert (empty.text, empty.source_pieces, empty.target_pieces) == ("", (), ())
    assert empty.attention.shape == (0, 0)


def test_no_lines_give_no_translations(translator):
    assert translator.translate([]) == []


def test_text_and_attention_do_not_depend_on_the_batch(translator):
    alone = [with_settings(translator, batch=1).translate([line])[0] for line in LINES]
    together = translator.translate(LINES)
    backwards = translator.translate(LINES[::-1])[::-1]

    for one, two, three in zip(alone, together, backwards, strict=True):
        assert one.text == two.text == three.text
        assert one.score == pytest.approx(two.score, abs=1e-5)
        np.testing.assert_allclose(one.attention, two.attention, atol=1e-5)
        np.testing.assert_allclose(two.attention, three.attention, atol=1e-5)


def test_a_file_of_any_lengths_needs_few_programs(translator):
    draw = random.Random(0)
    lengths = [round(1.03 ** draw.uniform(0, 180)) for _ in range(300)]  # up to 200 words
    before = search._cache_size()

    with_settings(translator, beam=1).translate(["a " * length for length in lengths])

    assert 5 < search._cache_size() - before <= 12


def test_attention_of_search_equals_that_of_forcing_its_output(translator):
    found = translator.translate(LINES)
    forced = translator.align(LINES, [each.text for each in found])

    for one, two in zip(found, forced, strict=True):
        assert one.target_pieces == two.target_pieces
        assert one.log_prob == pytest.approx(two.log_prob, abs=1e-4)
        np.testing.assert_allclose(one.attention, two.attention, atol=1e-5)


def test_attention_is_labelled_and_each_row_sums_to_one(translator):
    (translation,) = translator.translate(["d e f"])

    assert translation.source_pieces == ("▁d", "▁e", "▁f", "</s>")
    assert translation.attention.shape == (4, 4)
    assert translation.attention.dtype == np.float32
    np.testing.assert_allclose(translation.attention.sum(axis=1), 1.0, rtol=1e-5)


def test_the_copy_task_attends_along_the_diagonal(translator):
    (translation,) = translator.translate(["a c e g b d"])

    assert translation.attention[:6].argmax(axis=1).tolist() == [0, 1, 2, 3, 4, 5]


def test_n_best_are_distinct_and_sorted(translator):
    (found,) = translator.stream(["a b"], n_best=3)

    assert len({each.target_pieces for each in found}) == 3
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert found[0].text == "a b"


def test_more_translations_than_hypotheses_are_refused(translator):
    with pytest.raises(DataError, match=r"6 translations need a beam of at least 6"):
        list(translator.stream(["a"], n_best=6))


def test_a_line_beyond_the_limit_is_cut_with_a_warning(translator):
    short = with_settings(translator, max_source=4)

    with pytest.warns(UserWarning, match=r"line 2: 6 pieces, cut to 3; decoding.max_source"):
        first, second = short.translate(["a b", "a b c d e f"])

    assert first.text == "a b"
    assert second.source_pieces == ("▁a", "▁b", "▁c", "</s>")


@pytest.mark.parametrize("way", ["translate", "align"])
def test_a_warning_counts_the_lines_of_all_windows(translator, monkeypatch, way):
    monkeypatch.setattr("nmt.decoding.translator.WINDOW", 2)
    short = with_settings(translator, max_source=4, batch=1)
    lines = ["a b", "", "c", "a b", "a b c d e", "b"]

    with pytest.warns(UserWarning, match=r"line 5: 5 pieces, cut to 3") as warned:
        found = short.translate(lines) if way == "translate" else short.align(lines, lines)

    assert len(warned) == 1
    assert [each.source for each in found] == lines
    assert [len(each.source_pieces) for each in found] == [3, 0, 2, 3, 4, 2]


def test_a_line_longer_than_any_in_training_is_translated(translator):
    (translation,) = translator.translate(["a b c d " * 40])

    assert len(translation.source_pieces) == 161
    assert translation.attention.shape == (len(translation.target_pieces), 161)


def test_unequal_sides_cannot_be_aligned(translator):
    with pytest.raises(DataError, match="2 source lines but 1 target lines"):
        translator.align(["a", "b"], ["a"])


def test_a_pair_with_an_empty_side_has_no_alignment(translator):
    empty, full = translator.align(["", "a"], ["b", "a"])

    assert empty.attention.size == 0
    assert full.attention.shape == (2, 2)


def test_a_search_can_be_set_when_loading(copy_run):
    assert Translator.load(copy_run, beam=1).config.beam == 1


def test_the_last_checkpoint_translates_too(copy_run):
    (translation,) = Translator.load(copy_run, checkpoint="last").translate(["a b c"])

    assert translation.text == "a b c"


def test_a_run_without_checkpoint_is_named(copy_run, tmp_path):
    import shutil

    shutil.copytree(copy_run, tmp_path / "run", ignore=shutil.ignore_patterns("checkpoints"))

    with pytest.raises(RunError, match="has no checkpoint yet"):
        Translator.load(tmp_path / "run")


def test_translations_are_values(translator):
    (translation,) = translator.translate(["a"])

    with pytest.raises(dataclasses.FrozenInstanceError):
        translation.text = "b"


def test_a_coverage_penalty_is_that_of_the_attention_returned(translator):
    (found,) = with_settings(translator, coverage_penalty=0.5).stream(["a b c"], n_best=3)

    for each in found:
        covered = np.minimum(each.attention.sum(axis=0), 1.0)
        average = each.log_prob / len(each.target_pieces)
        assert each.score == pytest.approx(average + 0.5 * np.log(covered).sum(), abs=1e-4)


def test_pruning_leaves_fewer_translations_and_the_same_best_one(translator):
    pruned, whole = (
        list(with_settings(translator, prune=prune).stream(LINES, n_best=3))
        for prune in (0.01, None)
    )

    assert [best.text for best, *_ in pruned] == [best.text for best, *_ in whole]
    assert sum(map(len, pruned)) < sum(map(len, whole))


@pytest.mark.parametrize("key", ["prune", "coverage_penalty", "shortlist"])
def test_a_search_setting_out_of_range_is_named(key):
    with pytest.raises(ConfigError, match=rf"decoding\.{key}: input should be"):
        configfile.validate(
            {"data": {"train": "a", "validation": "b"}, "decoding": {key: -1}},
        )


@pytest.fixture(scope="module", params=["hard", "monotonic"])
def drawing(request, translator, copy_run):
    """A translator whose attention can be drawn; its parameters are random."""
    config = Run.open(copy_run).config
    tree = config.model_dump()
    tree["model"]["attention"] = request.param
    config = configfile.validate(tree)
    graph, params = nnx.split(build_model(config, translator.tokenizers))
    settings = {"beam": 2, "max_extra": 2}
    return with_settings(
        Translator(graph, params, tokenizers=translator.tokenizers, config=translator.config),
        **settings,
    )


def test_drawn_positions_depend_on_the_seed_and_the_sentence_alone(drawing):
    best = with_settings(drawing, draw=None).translate(LINES)
    seeds = [with_settings(drawing, draw=seed) for seed in (1, 2, 1)]
    one, two, again = (
        each.translate(LINES[::order]) for each, order in zip(seeds, (1, 1, -1), strict=True)
    )

    for first, same in zip(one, again[::-1], strict=True):
        assert first.text == same.text
        assert first.log_prob == pytest.approx(same.log_prob, abs=1e-4)
    for other in (two, best):
        assert any(a.log_prob != b.log_prob for a, b in zip(one, other, strict=True))


def test_forcing_draws_what_search_drew(drawing):
    drawing = with_settings(drawing, draw=3)
    found = drawing.translate(LINES)

    forced = drawing.explain(found, method="attention")

    for one, two in zip(found, forced, strict=True):
        np.testing.assert_allclose(one.attention, two.attention, atol=1e-5)
