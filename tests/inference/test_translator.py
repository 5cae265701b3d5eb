import dataclasses
import random
import shutil

import numpy as np
import pytest
from flax import nnx

from nmt import configfile
from nmt.arguments import checked_terms
from nmt.config import DecodingConfig
from nmt.config.splitting import SplitConfig
from nmt.errors import ConfigError, DataError, RunError
from nmt.inference import programs
from nmt.inference.output import word_links
from nmt.inference.predictor import LoadedModel
from nmt.inference.searcher import Searcher
from nmt.inference.translator import Translator
from nmt.model.build import build_model
from nmt.run import Run

WHOLE = SplitConfig(when="never")


@pytest.fixture(scope="module")
def translator(copy_run):
    return Translator.load(copy_run)


def with_settings(translator, **settings):
    config = translator.config.model_copy(update=settings)
    return Translator(translator.loaded, tokenizers=translator.tokenizers, config=config)


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


def number_of_programs():
    """Returns how many programs have been made since the process started."""
    return programs._program.cache_info().misses


@pytest.mark.slow
@pytest.mark.parametrize("way", ["translate", "align"])
def test_a_file_of_any_lengths_needs_few_programs(translator, way):
    draw = random.Random(0)
    lengths = [round(1.03 ** draw.uniform(0, 180)) for _ in range(300)]  # up to 200 words
    source, target = (["a " * length for length in draw.sample(lengths, 300)] for _ in range(2))
    programs._program.cache_clear()  # of what other tests have left
    before = number_of_programs()

    if way == "translate":
        with_settings(translator, beam=1).translate(source)
    else:
        translator.align(source, target)

    assert 5 < number_of_programs() - before <= 12


def test_translators_with_other_settings_need_two_programs(copy_run):
    before = number_of_programs()

    for number in range(12):
        loaded = Translator.load(
            copy_run,
            length_penalty={"kind": ("average", "gnmt")[number % 2], "alpha": 0.5 + number / 24},
            coverage_penalty=0.01 * (number // 6),  # whether attention is summed is static
            patience=None if number % 3 else 1 + number / 7,
            prune=1 + number,
            max_output_ratio=1.5 + number / 400,
        )
        assert loaded.translate("a b c").text == "a b c"

    assert number_of_programs() - before <= 2


SETTINGS = [
    {},
    {"beam": 1},
    {"length_penalty": {"kind": "none"}},
    {"length_penalty": {"kind": "average", "alpha": 0.5}, "patience": None},
    {"length_penalty": {"kind": "gnmt"}, "coverage_penalty": 0.3},
    {"coverage_penalty": 0.2, "prune": 2.0},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_forcing_what_a_search_found_gives_its_score_and_attention(copy_run, settings):
    translator = Translator.load(copy_run, **settings)
    found = translator.translate(LINES)
    forced = translator.align(LINES, [each.text for each in found])

    for one, two in zip(found, forced, strict=True):
        assert one.target_pieces == two.target_pieces
        assert one.log_prob == pytest.approx(two.log_prob, abs=1e-4)
        assert one.score == pytest.approx(two.score, abs=1e-4)
        np.testing.assert_allclose(one.piece_log_probs, two.piece_log_probs, atol=1e-4)
        np.testing.assert_allclose(one.attention, two.attention, atol=1e-5)


def test_a_string_is_one_line_and_has_one_translation(translator):
    translation = translator.translate("a b c")

    assert translation.text == "a b c"
    assert translator.align("a b", "a b").text == "a b"
    assert translator.explain(translation, method="saliency").method == "saliency"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda it: it.translate(3), "translate takes a string or an iterable of strings, not int"),
        (lambda it: it.translate(b"a"), "translate takes .*, not bytes"),
        (lambda it: it.translate(["a", None]), "translate takes .*, and one is NoneType"),
        (lambda it: list(it.stream("a b")), "stream takes an iterable of strings, not str"),
        (lambda it: it.align("a b", ["a b"]), "align takes two strings, or an iter.*, not str"),
        (lambda it: it.align(["a"], [3]), "align takes .*, and one is int"),
        (
            lambda it: list(it.align_stream(iter(["ab"]))),
            "align_stream takes pairs .* and one is 'ab'",
        ),
        (
            lambda it: it.explain("a b", method="saliency"),
            "explain takes a Translation or an iterable of them, not str",
        ),
    ],
)
def test_what_is_no_text_is_a_type_error_that_says_so(translator, call, message):
    with pytest.raises(TypeError, match=message):
        call(translator)


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

    assert len({each.text for each in found}) == 3
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert found[0].text == "a b"


def test_equal_words_of_other_pieces_are_returned_once_with_the_best_score(translator):
    wide = with_settings(translator, beam=12, patience=None, unknown="forbid")
    ids = [[*wide.tokenizers.source.encode("a b"), wide.tokenizers.source.eos]]
    searching = Searcher(wide.loaded, wide.tokenizers, wide.config, None)
    ((_, hypotheses),) = searching.all(ids, [0], n_best=12)
    whole = [tuple(wide.tokenizers.target.decode(each.tokens).split()) for each in hypotheses]

    (found,) = wide.stream(["a b"], n_best=12)

    assert len(whole) == 12 > len(set(whole))  # 'a b' with and without a space at its end
    assert [tuple(each.text.split()) for each in found] == list(dict.fromkeys(whole))


def test_a_translation_that_reaches_its_longest_length_is_named(translator):
    short = with_settings(translator, max_output_ratio=0.1, max_extra=2)

    with pytest.warns(UserWarning, match=r"^lines 1, 3: the translation is cut .*max_extra set$"):
        found = short.translate(["a b c d", "", "b c d e", "a"])

    assert [each.is_cut for each in found] == [True, False, True, False]
    assert [len(each.target_pieces) for each in found] == [2, 0, 2, 2]


def test_a_longest_length_of_nothing_is_one_piece_and_is_named(translator):
    short = with_settings(translator, max_output_ratio=0.01, max_extra=0)

    with pytest.warns(UserWarning, match=r"^line 1: the translation is cut"):
        (found,) = short.translate(["a b c"])

    assert (found.text, found.is_cut) == ("a", True)


def test_a_warning_of_many_lines_names_the_first(translator):
    short = with_settings(translator, max_output_ratio=0.1, max_extra=2)

    with pytest.warns(UserWarning, match=r"^lines 1, 2, .*, 10 and 3 more: the translation"):
        short.translate(["a b c d"] * 13)


def test_windows_are_translated_one_by_one_and_their_lines_keep_their_numbers(translator):
    short = with_settings(translator, max_pieces=4, split=WHOLE)
    asked = []

    def windows():
        for window in [(7, ["a b", "", "c"]), (10, ["a b c d e"])]:
            asked.append(window)
            yield window

    found = short.stream_windows(windows())

    assert [next(found)[0].text for _ in range(3)] == ["a b", "", "c"]
    assert len(asked) == 1
    with pytest.warns(UserWarning, match=r"line 11: the source has more than 3 pieces, and is cut"):
        assert next(found)[0].source_pieces == ("▁a", "▁b", "▁c", "</s>")


def test_a_target_beyond_the_limit_is_cut_with_a_warning_as_a_source_is(translator):
    short = with_settings(translator, max_pieces=4, split=WHOLE)

    with pytest.warns(UserWarning, match=r"line 2: the target has more than 3 pieces, and is cut"):
        _, cut = short.align(["a b", "a b c"], ["a b", "a b c d e f"])

    assert cut.target_pieces == ("▁a", "▁b", "▁c", "</s>")


@pytest.mark.parametrize("unknown", ["copy", "omit", "forbid"])
@pytest.mark.filterwarnings("ignore:.*cut at its longest length")  # `<unk>` again and again
def test_unknown_pieces_are_never_written(translator, unknown):
    # Whatever the model has learned, its output layer now prefers the unknown piece to all others.
    params = translator.loaded.params
    bias = params["output_bias"]
    bias = bias.replace(bias[...].at[translator.tokenizers.target.unk].set(50.0))
    loud = Translator(
        dataclasses.replace(translator.loaded, params=nnx.State({**params, "output_bias": bias})),
        tokenizers=translator.tokenizers,
        config=translator.config.model_copy(update={"unknown": unknown}),
    )

    for each in loud.translate(LINES):
        assert "⁇" not in each.text
        assert ("<unk>" in each.target_pieces) == (
            unknown != "forbid" and each.source.strip() != ""
        )
        assert each.text.split() == [] or unknown != "omit"
        assert set(each.text) <= {*each.source, " "}


def test_more_translations_than_hypotheses_are_refused(translator):
    with pytest.raises(DataError, match=r"6 translations of a line need a beam of 6 at least"):
        list(translator.stream(["a"], n_best=6))
    with pytest.raises(DataError, match=r"0 translations of a line cannot be had"):
        list(translator.stream(["a"], n_best=0))


def test_a_line_beyond_the_limit_is_cut_with_a_warning(translator):
    short = with_settings(translator, max_pieces=4, split=WHOLE)

    with pytest.warns(
        UserWarning, match=r"line 2: the source has more than 3 pieces, and is cut; decoding.max_p"
    ):
        first, second = short.translate(["a b", "a b c d e f"])

    assert first.text == "a b"
    assert second.source_pieces == ("▁a", "▁b", "▁c", "</s>")


def test_one_warning_names_all_lines_beyond_the_limit(translator):
    short = with_settings(translator, max_pieces=4, split=WHOLE)

    message = "lines 1, 3: the source has more than 3 pieces, and is cut; decoding.max_pieces sets"
    with pytest.warns(UserWarning, match=f"^{message}") as warned:
        short.translate(["a b c d", "a b", "a b c d e f"])

    assert sum("more than" in str(each.message) for each in warned) == 1


@pytest.mark.parametrize("way", ["translate", "align"])
def test_a_warning_counts_the_lines_of_all_windows(translator, monkeypatch, way):
    monkeypatch.setattr("nmt.inference.translator.BATCHES_AHEAD", 2)
    short = with_settings(translator, max_pieces=4, split=WHOLE, batch=1)
    lines = ["a b", "", "c", "a b", "a b c d e", "b"]

    with pytest.warns(
        UserWarning, match=r"line 5: the (source|target) has more than 3 pieces, and is cut"
    ) as warned:
        found = short.translate(lines) if way == "translate" else short.align(lines, lines)

    assert {str(each.message)[:6] for each in warned} == {"line 5"}
    assert [each.source for each in found] == lines
    assert [len(each.source_pieces) for each in found] == [3, 0, 2, 3, 4, 2]


def test_a_line_longer_than_any_in_training_is_translated(translator):
    (translation,) = translator.translate(["a b c d " * 40])

    assert len(translation.source_pieces) == 161
    assert translation.attention.shape == (len(translation.target_pieces), 161)


def test_unequal_sides_cannot_be_aligned(translator):
    with pytest.raises(DataError, match="2 source lines but 1 target line"):
        translator.align(["a", "b"], ["a"])


def test_a_pair_with_an_empty_side_has_no_links(translator):
    nothing, empty, full = translator.align(["", "", "a"], ["", "b", "a"])

    assert nothing.attention.size == 0
    assert empty.attention.shape == (2, 1)  # to the end of sentence
    assert word_links(empty) == word_links(empty, threshold=0.0) == frozenset()
    assert full.attention.shape == (2, 2)


def test_a_search_can_be_set_when_loading(copy_run):
    loaded = Translator.load(copy_run, beam=1, length_penalty={"kind": "gnmt"})

    assert loaded.config.beam == 1
    assert loaded.config.length_penalty.alpha == 0.6


def test_what_training_returns_can_be_loaded(copy_run):
    assert Translator.load(Run.open(copy_run)).translate("a b c").text == "a b c"


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ("x.tsv", "a glossary maps terms, not str"),
        ({"a": None}, "a glossary maps terms, and one is NoneType"),
    ],
)
def test_terms_of_another_kind_are_named(terms, message):
    with pytest.raises(TypeError, match=message):
        checked_terms(terms, "a glossary maps terms")


@pytest.mark.parametrize(
    "call",
    [
        lambda it: it.translate(["a", "b \ud83d"]),
        lambda it: list(it.stream(["a", "b \ud83d"])),
        lambda it: it.align(["a", "b"], ["a", "\udc00"]),
    ],
)
def test_half_of_a_surrogate_pair_is_named_with_its_line(translator, call):
    with pytest.raises(DataError, match="string 2: half of a surrogate pair, which is no char"):
        call(translator)


def test_half_of_a_surrogate_pair_in_a_pair_or_a_term_is_named(translator):
    with pytest.raises(DataError, match=r"^the target '\\ud800': half of a surrogate pair, which "):
        list(translator.align_stream([("a", "\ud800")]))
    with pytest.raises(DataError, match=r"^the term '\\ud800': half of a surrogate pair, which is"):
        checked_terms({"a": "\ud800"}, "a glossary maps terms")


def test_one_setting_of_a_choice_can_be_set_when_loading(copy_run):
    assert Translator.load(copy_run, **{"length_penalty.alpha": 0.3}).config.length_penalty == (
        DecodingConfig(length_penalty={"kind": "average", "alpha": 0.3}).length_penalty
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beem": 1}, r"decoding\.beem: unknown key; did you mean decoding\.beam\?"),
        ({"beam": "x"}, r"decoding\.beam: expected an integer, not 'x'"),
        ({"beam": 0}, r"decoding\.beam: input should be greater than or equal to 1, not 0"),
        ({"length_penalty": {"kind": "none", "alpha": 1}}, r"decoding\.length_penalty.*alpha"),
        ({"attention_seed": 1}, r"decoding\.attention_seed"),
    ],
)
def test_a_setting_that_there_is_not_is_named_when_loading(copy_run, settings, message):
    with pytest.raises(ConfigError, match=message):
        Translator.load(copy_run, **settings)


def test_the_last_checkpoint_translates_too(copy_run):
    assert Translator.load(copy_run, checkpoint="last").translate("a b c").text == "a b c"


def test_a_checkpoint_can_be_chosen_by_its_step(copy_run):
    step = Run.open(copy_run).progress("last").step

    assert Translator.load(copy_run, checkpoint=step).translate("a b c").text == "a b c"
    with pytest.raises(RunError, match=rf"has no checkpoint of step 7; those it has: .*{step}$"):
        Translator.load(copy_run, checkpoint=7)


def test_a_run_without_a_best_checkpoint_uses_the_last_and_says_so(copy_run, tmp_path):
    shutil.copytree(copy_run, tmp_path / "run", ignore=shutil.ignore_patterns("best"))

    best = Run.open(copy_run).progress("last").best_step
    message = rf"its best checkpoint, of step {best}, is missing; using the last one, of step"
    with pytest.warns(UserWarning, match=message):
        loaded = Translator.load(tmp_path / "run")

    assert loaded.translate("a b c").text == "a b c"


def test_a_run_without_checkpoint_is_named(copy_run, tmp_path):
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
        Translator(
            LoadedModel(params, graph), tokenizers=translator.tokenizers, config=translator.config
        ),
        **settings,
    )


@pytest.mark.filterwarnings("ignore:.*cut at its longest length")  # the parameters are random
def test_drawn_positions_depend_on_the_seed_and_the_sentence_alone(drawing):
    best = with_settings(drawing, attention_seed=None).translate(LINES)
    seeds = [with_settings(drawing, attention_seed=seed) for seed in (1, 2, 1)]
    one, two, again = (
        each.translate(LINES[::order]) for each, order in zip(seeds, (1, 1, -1), strict=True)
    )

    for first, same in zip(one, again[::-1], strict=True):
        assert first.text == same.text
        assert first.log_prob == pytest.approx(same.log_prob, abs=1e-4)
    for other in (two, best):
        assert any(a.log_prob != b.log_prob for a, b in zip(one, other, strict=True))


@pytest.mark.filterwarnings("ignore:.*cut at its longest length")
def test_forcing_draws_what_search_drew(drawing):
    drawing = with_settings(drawing, attention_seed=3)
    found = drawing.translate(LINES)

    forced = drawing.explain(found, method="attention")

    for one, two in zip(found, forced, strict=True):
        np.testing.assert_allclose(one.attention, two.attention, atol=1e-5)
