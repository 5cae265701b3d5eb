"""Choices of the configuration: each has its own keys alone, and a short form."""

import re

import pytest
import yaml

from nmt import config, configfile
from nmt.config.mistakes import MOVED
from nmt.errors import ConfigError

SMALLEST = "data: {train: corpus/train, validation: corpus/val}\n"


def validated(**sections):
    return configfile.validate({"data": {"train": "a", "validation": "b"}, **sections})


def mistakes(**sections):
    """The lines of a configuration that is refused, without the name of the file."""
    with pytest.raises(ConfigError) as caught:
        validated(**sections)
    return [line.removeprefix("config: ") for line in str(caught.value).splitlines()]


@pytest.fixture
def load(tmp_path):
    def load(text, *overrides):
        path = tmp_path / "small.yaml"
        path.write_text(SMALLEST + text, encoding="utf-8")
        return configfile.load(path, overrides)

    return load


def test_a_string_is_short_for_the_kind_with_its_defaults():
    settings = validated(
        model={"decoder": "bahdanau", "attention": "local_p"},
        training={"optimizer": "adamw", "schedule": "inverse_sqrt"},
    )

    assert settings.model.decoder == config.BahdanauDecoderConfig()
    assert settings.model.attention == config.LocalPConfig()
    assert settings.training.optimizer == config.AdamWConfig(weight_decay=0.01)
    assert settings.training.schedule == config.InverseSqrtScheduleConfig(warmup_steps=4000)


def test_a_string_is_short_for_a_kind_within_another():
    covering = validated(model={"attention": {"coverage": "linguistic"}})
    plain = validated(model={"attention": {"coverage": "none"}})
    drawing = validated(model={"attention": {"mechanism": "hard", "estimator": "gumbel"}})

    assert covering.model.attention.coverage == config.LinguisticCoverageConfig()
    assert plain.model.attention.coverage is None
    assert drawing.model.attention.estimator == config.GumbelConfig()


def test_a_mapping_without_a_kind_is_of_the_default_one():
    settings = validated(
        model={"decoder": {"hidden_size": 8}, "attention": {"score": "general"}},
        training={"schedule": {"warmup_steps": 3}, "optimizer": {}},
    )
    hard = validated(model={"attention": {"mechanism": "hard", "estimator": {"soft_fraction": 0}}})

    assert settings.model.decoder == config.LuongDecoderConfig(hidden_size=8)
    assert settings.model.attention == config.GlobalConfig(score="general")
    assert settings.training.schedule == config.ConstantScheduleConfig(warmup_steps=3)
    assert settings.training.optimizer == config.AdamConfig()
    assert hard.model.attention.estimator == config.ReinforceConfig(soft_fraction=0)


def test_the_keys_that_are_there_tell_how_batches_and_tokenizers_are_given():
    batches = [{"tokens": 400}, {"sentences": 8}, {"buckets": 3}]
    tokenizers = [{"model": "m"}, {"source_model": "s", "target_model": "t"}, {"kind": "bpe"}]

    def batch(given):
        return validated(data={"train": "a", "validation": "b", "batch": given}).data.batch

    assert [batch(given) for given in batches] == [
        config.TokenBatchConfig(tokens=400),
        config.SentenceBatchConfig(sentences=8),
        config.SentenceBatchConfig(sentences=64, buckets=3),
    ]
    assert [validated(tokenizer=given).tokenizer for given in tokenizers] == [
        config.JointModelConfig(model="m"),
        config.SeparateModelsConfig(source_model="s", target_model="t"),
        config.TrainedTokenizerConfig(kind="bpe"),
    ]


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"training": {"schedule": {"kind": "cosine", "factor": 0.3}}},
            "training.schedule.factor: unknown key for `kind: cosine`, which has warmup_steps; "
            "it belongs to plateau and luong",
        ),
        (
            {"training": {"optimizer": {"weight_decay": 0.1}}},
            "training.optimizer.weight_decay: unknown key for `kind: adam`, which has no other "
            "keys; it belongs to adamw",
        ),
        (
            {"model": {"decoder": {"kind": "bahdanau", "input_feeding": False}}},
            "model.decoder.input_feeding: unknown key for `kind: bahdanau`, which has "
            "hidden_size, layers, transitions, residual, readout_size, initial_state; it belongs "
            "to luong",
        ),
        (
            {"model": {"attention": {"score_options": {"hidden_size": 0}}}},
            "model.attention: `score_options.hidden_size` is an integer of at least 1, not 0",
        ),
        (
            {"model": {"attention": {"score_options": {"hidden_size": True}}}},
            "model.attention: `score_options.hidden_size` is an integer of at least 1, not True",
        ),
        (
            {
                "model": {
                    "attention": {"score": "location", "score_options": {"max_positions": "9"}}
                }
            },
            "model.attention: `score_options.max_positions` is an integer of at least 1, not '9'",
        ),
        (
            {"model": {"attention": {"window": 3}}},
            "model.attention.window: unknown key for `mechanism: global`, which has score, "
            "score_options, normalizer, coverage; it belongs to local_m and local_p",
        ),
        (
            {"model": {"attention": {"mechanism": "none", "score": "dot"}}},
            "model.attention.score: unknown key for `mechanism: none`, which has no other keys; "
            "it belongs to global, local_m, local_p, hard, monotonic and multi_head",
        ),
        (
            {"model": {"attention": {"mechanism": "hard", "estimator": {"temperature": 2}}}},
            "model.attention.estimator.temperature: unknown key for `kind: reinforce`, which has "
            "reward_weight, entropy_weight, soft_fraction, baseline_decay; it belongs to gumbel",
        ),
        (
            {"training": {"schedule": {"kind": "cosine", "warmup": 3}}},
            "training.schedule.warmup: unknown key; did you mean training.schedule.warmup_steps?",
        ),
        (
            {"model": {"attention": {"coverage": {"kind": "neural", "zzz": 3}}}},
            "model.attention.coverage.zzz: unknown key; known: kind, size",
        ),
        (
            {"training": {"optimizer": "adem"}},
            "training.optimizer: unknown kind 'adem'; did you mean adam? "
            "known: adam, adamw, adadelta, sgd",
        ),
        (
            {"model": {"attention": "multihead"}},
            "model.attention: unknown mechanism 'multihead'; did you mean multi_head? "
            "known: global, local_m, local_p, hard, monotonic, multi_head, uniform, none",
        ),
        (
            {"model": {"attention": {"coverage": {"size": 3}}}},
            "model.attention.coverage: `kind` is missing; choose one of linguistic, neural",
        ),
        (
            {"training": {"schedule": 3}},
            "training.schedule: expected one of constant, inverse_sqrt, plateau, luong, cosine, "
            "or a mapping, not 3",
        ),
        (
            {"training": {"schedule": {"kind": "inverse_sqrt", "warmup_steps": 0}}},
            "training.schedule.warmup_steps: input should be greater than or equal to 1, not 0",
        ),
        (
            {"training": {"optimizer": {"kind": "adamw", "weight_decay": 0}}},
            "training.optimizer.weight_decay: input should be greater than 0, not 0",
        ),
        (
            {"model": {"attention": {"mechanism": "local_p", "score": "location"}}},
            "model.attention: `mechanism: local_p` compares the positions of a window, and "
            "`score: location` compares nothing: choose another score, or `mechanism: global`",
        ),
        (
            {"data": {"train": "a", "validation": "b", "batch": {"tokens": 9, "sentences": 9}}},
            "data.batch.sentences: does not go with `tokens`; leave one of them out",
        ),
        (
            {"data": {"train": "a", "validation": "b", "batch": 64}},
            "data.batch: expected a section of the keys tokens, buckets, sentences, not 64",
        ),
        (
            {"tokenizer": {"model": "x", "vocabulary_size": 99}},
            "tokenizer.vocabulary_size: does not go with `model`; leave one of them out",
        ),
        (
            {"tokenizer": {"source_model": "x"}},
            "tokenizer.target_model: missing; this key is required",
        ),
        (
            {"tokenizer": {"source_model": "x", "target_model": "y", "joint": False}},
            "tokenizer.joint: does not go with `source_model` and `target_model`; "
            "leave one of them out",
        ),
    ],
)
def test_a_mistake_in_a_choice_is_one_line(sections, message):
    assert mistakes(**sections) == [message]


@pytest.mark.parametrize("key", MOVED)
def test_a_key_that_has_moved_says_where_it_is(load, key):
    with pytest.raises(ConfigError) as caught:
        load("", f"{key}={{}}")

    assert str(caught.value) == f"{key}: unknown key; write {MOVED[key]}"


@pytest.mark.parametrize(
    ("overrides", "schedule"),
    [
        (
            ["training.schedule=cosine", "training.schedule.warmup_steps=400"],
            config.CosineScheduleConfig(warmup_steps=400),
        ),
        (["training.schedule.warmup_steps=400"], config.PlateauScheduleConfig(warmup_steps=400)),
        (
            ["training.schedule.kind=cosine"],
            config.CosineScheduleConfig(),
        ),
        (
            ["training.schedule={kind: luong, factor: 0.1}"],
            config.LuongScheduleConfig(factor=0.1),
        ),
    ],
)
def test_an_override_reaches_into_a_short_form(load, overrides, schedule):
    assert load("training: {schedule: plateau}", *overrides).training.schedule == schedule


def test_an_override_reaches_into_a_short_form_within_another(load):
    settings = load(
        "model: {attention: {mechanism: hard, estimator: gumbel}}",
        "model.attention.estimator.temperature=0.5",
    )

    assert settings.model.attention.estimator == config.GumbelConfig(temperature=0.5)


@pytest.mark.parametrize(
    ("train", "corpora"),
    [
        ("a", [{"path": "a"}]),
        ({"path": "a", "weight": 3}, [{"path": "a", "weight": 3}]),
        (["a.de", "a.en"], [{"source": "a.de", "target": "a.en"}]),
        ([{"path": "a"}], [{"path": "a"}]),
        ([{"path": "a"}, {"hub": "b"}], [{"path": "a"}, {"hub": "b"}]),
        (
            [["a.de", "a.en"], {"path": "b", "languages": ["de", "no"]}],
            [{"source": "a.de", "target": "a.en"}, {"path": "b", "languages": ("de", "no")}],
        ),
    ],
)
def test_training_corpora_are_one_or_a_list(train, corpora):
    settings = validated(data={"train": train, "validation": "v"})

    assert settings.data.corpora == tuple(config.CorpusConfig(**each) for each in corpora)
    assert configfile.validate(yaml.safe_load(configfile.dump(settings))) == settings


STRING = (
    "data.train: in a list, write `{path: %s}` instead of the plain string; two plain strings "
    "alone are a pair of text files"
)
TAGGED = [{"path": "a", "source_tag": "<2fr>"}, {"path": "b", "source_tag": "<2en>"}]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"train": ["a"]}, STRING % "a"),
        ({"train": ["a", "b", "c"]}, STRING % "a"),
        ({"train": [{"path": "a"}, "b"]}, STRING % "b"),
        ({"train": []}, "data.train: an empty list; name one at least"),
        (
            {"train": [{"path": "a"}, {"pth": "b"}]},
            "data.train.1.pth: unknown key; did you mean data.train.1.path?",
        ),
        (
            {"train": [{"path": "a"}, {"path": "b", "weight": 0}]},
            "data.train.1.weight: input should be greater than 0, not 0",
        ),
        (
            {"train": [{"path": "a", "source": "b"}]},
            "data.train.0: `source` and `target` are a pair of files; give both",
        ),
        (
            {"train": {"path": "a", "source_tag": "<2 fr>"}},
            "data.train: `source_tag` is one word, such as <2fr>, and not '<2 fr>'",
        ),
        (
            {"train": "a", "temperature": 5},
            "data: `temperature` is for several training corpora: leave it out",
        ),
        (
            {"train": [{"path": "a", "weight": 2}, {"path": "b"}], "temperature": 5},
            "data: `temperature` chooses the weights of the corpora: leave it out, or each "
            "`weight`",
        ),
        (
            {"train": [{"path": "a"}, {"path": "b"}], "temperature": 0.5},
            "data.temperature: input should be greater than or equal to 1, not 0.5",
        ),
        (
            {"validation": {"path": "v", "weight": 2}},
            "data: `validation.weight` would do nothing, for it is of training alone: leave it out",
        ),
        (
            {"train": TAGGED},
            "data: `validation.source_tag` is missing, and training has no such pairs: give one "
            "of <2en>, <2fr>",
        ),
        (
            {"train": TAGGED, "validation": {"path": "v", "source_tag": "<2de>"}},
            "data: `validation.source_tag` is <2de>, and training has no such pairs: give one of "
            "<2en>, <2fr>",
        ),
        (
            {"clean": {"held_out": "target"}},
            "data.clean.held_out: input should be 'either', 'source' or 'pair', not 'target'",
        ),
        (
            {"clean": {"min_script": 1}},
            "data.clean.min_script: input should be less than 1, not 1",
        ),
    ],
)
def test_a_mistake_in_the_corpora_is_one_line(data, message):
    assert mistakes(data={"train": "a", "validation": "v", **data}) == [message]


def test_true_is_short_for_the_usual_cleaning(load):
    assert load("", "data.clean=true").data.clean == config.CleaningConfig()
    assert load("", "data.clean.max_ratio=null").data.clean.max_ratio is None
    assert load("").data.clean is None


def test_a_change_in_one_of_several_corpora_is_told_by_its_key():
    old, new = (
        validated(data={"train": [{"path": "a"}, {"path": "b", "weight": w}], "validation": "v"})
        for w in (1, 2)
    )

    assert configfile.differences(old, new) == ["data.train.1.weight: 1.0 -> 2.0"]


def test_an_override_beside_the_path_of_a_corpus_leaves_the_path(load):
    settings = load("", "data.train=texts/train", "data.train.alignments=links")

    assert settings.data.train == config.CorpusConfig(path="texts/train", alignments="links")


def test_an_override_gives_a_section_that_is_null_its_keys(load):
    settings = load("tokenizer: {sampling: null}", "tokenizer.sampling.alpha=0.5")

    assert settings.tokenizer.sampling == config.SamplingConfig(alpha=0.5)


def test_an_override_within_a_value_is_refused_and_loses_nothing(load):
    message = (
        r"^model\.embedding_size\.both: model\.embedding_size is 8 and has no keys; override it"
    )
    with pytest.raises(ConfigError, match=message):
        load("model: {embedding_size: 8}", "model.embedding_size.both=9")


@pytest.mark.parametrize(
    ("text", "override", "remedy"),
    [
        (
            "model: {decoder: {hidden_size: 512, input_feeding: false}}",
            "model.decoder.kind=bahdanau",
            "it belongs to luong, or override the whole section: "
            "model.decoder='{kind: bahdanau, hidden_size: 512}'",
        ),
        (
            "model: {attention: {score: additive}}",
            "model.attention.mechanism=none",
            "multi_head, or override the whole section: model.attention='{mechanism: none}'",
        ),
        (
            "tokenizer: {vocabulary_size: 80}",
            "tokenizer.model=a.model",
            "leave one of them out, or override the whole section: tokenizer='{model: a.model}'",
        ),
    ],
)
def test_a_choice_that_does_not_fit_the_file_says_what_to_override(load, text, override, remedy):
    with pytest.raises(ConfigError, match=f"{re.escape(remedy)}$"):
        load(text, override)

    whole = remedy.partition("section: ")[2]
    assert load(text, whole.replace("'", ""))  # a shell takes the quotes away


def test_an_override_of_the_other_key_says_what_to_override(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text("data: {train: a, validation: b, batch: {tokens: 900, buckets: 3}}")

    remedy = "leave one of them out, or override the whole section: data.batch='{buckets: 3, "
    with pytest.raises(ConfigError, match=re.escape(remedy + "sentences: 8}'")):
        configfile.load(path, ["data.batch.sentences=8"])


def test_a_mistake_in_a_file_has_no_remedy_of_the_command_line(load):
    with pytest.raises(ConfigError, match=r"it belongs to luong$"):
        load("model: {decoder: {kind: bahdanau, input_feeding: true}}", "seed=2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "training:\n  max_steps: 9\nseed: 1\ntraining:\n  metric: bleu\n",
            "small.yaml, line 5: not valid YAML (`training` stands in line 2 and again in line 5; "
            "put both into one)",
        ),
        (
            "training: {max_steps: 9, 'max_steps': 8}",
            "small.yaml, line 2: not valid YAML (`max_steps` stands in line 2 and again in line 2",
        ),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_both_lines(load, text, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        load(text)


def test_a_dump_reads_back_whatever_is_chosen(tmp_path):
    attentions = [
        *("global", "local_m", "local_p", "monotonic", "multi_head", "uniform", "none"),
        {"coverage": {"kind": "neural", "size": 3}},
        {"mechanism": "hard", "estimator": {"kind": "gumbel", "temperature": 3}},
    ]
    for attention in attentions:
        settings = validated(
            model={"attention": attention, "decoder": "bahdanau"},
            tokenizer={"model": "m"},
            training={"optimizer": "sgd", "schedule": "luong"},
        )
        path = tmp_path / "config.yaml"
        path.write_text(configfile.dump(settings))

        assert configfile.load(path) == settings


def test_links_without_a_section_guide_by_its_defaults_which_the_run_folder_shows():
    data = {"train": {"path": "a", "alignments": "a.align"}, "validation": "b"}

    settings = configfile.validate({"data": data})

    assert settings.training.guided_alignment == config.GuidedAlignmentConfig()
    assert "cost: ce" in configfile.dump(settings)
