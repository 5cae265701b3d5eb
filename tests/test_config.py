"""The configuration: every mistake has its line, and what is dumped reads back."""

import os
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt import config, configfile
from nmt.errors import ConfigError

SMALLEST = "data: {train: corpus/train, validation: corpus/val}\n"
GUIDED = {"data": {"train": {"path": "corpus/train", "alignments": "corpus/train.align"}}}


def tree(**sections):
    data = {"train": "corpus/train", "validation": "corpus/val", **sections.pop("data", {})}
    return {"data": data, **sections}


@pytest.fixture
def write(tmp_path):
    def write_config(text):
        path = tmp_path / "small.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_config


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"modle": {}}, "modle: unknown key; did you mean model?"),
        (
            {"zzz": 1},
            "zzz: unknown key; known: run, seed, data, tokenizer, model, aligner, training, "
            "decoding",
        ),
        (
            {"model": {"encoder": {"hiden_size": 3}}},
            "model.encoder.hiden_size: unknown key; did you mean model.encoder.hidden_size?",
        ),
        (
            {"tokenizer": {"sampling": {"alfa": 1.0}}},
            "tokenizer.sampling.alfa: unknown key; did you mean tokenizer.sampling.alpha?",
        ),
        (
            {"data": {"test": {"pth": "x"}}},
            "data.test.pth: unknown key; did you mean data.test.path?",
        ),
        (
            {"training": {"freeze": "encoder"}},
            "training.freeze: expected a list, as in [a, b], not 'encoder'",
        ),
        ({"seed": -1}, "seed: input should be greater than or equal to 0, not -1"),
        ({"model": {"dropout": 1}}, "model.dropout.rate: input should be less than 1, not 1"),
        (
            {"training": {"learning_rate": "fast"}},
            "training.learning_rate: expected a number, not 'fast'",
        ),
        ({"run": 3}, "run: expected a string, not 3"),
        ({"seed": None}, "seed: expected an integer, not null"),
        (
            {"training": {"metric": True}},
            "training.metric: input should be 'bleu' or 'perplexity', not true",
        ),
        (
            {"model": 3},
            "model: expected a section of the keys embedding_size, cell, encoder, "
            "decoder, attention, lexical_model, guided_head, dropout, tied_embeddings, not 3",
        ),
        *(
            (
                {"data": {"train": corpora}},
                f"data.train{number}: expected a section of the keys path, source, target, hub, "
                "subset, split, columns, languages, source_tag, alignments, weight, not 3",
            )
            for corpora, number in ((3, ""), ([3], ".0"))
        ),
        (
            {"training": {"metric": "blue"}},
            "training.metric: input should be 'bleu' or 'perplexity', not 'blue'",
        ),
        (
            {"data": {"train": {}}},
            "data.train: give exactly one of `path`, `source` with `target`, and `hub`",
        ),
        (
            {"data": {"train": {"path": "x", "hub": "y"}}},
            "data.train: give exactly one of `path`, `source` with `target`, and `hub`",
        ),
        (
            {"data": {"train": {"source": "x"}}},
            "data.train: `source` and `target` are a pair of files; give both",
        ),
        (
            {"data": {"train": {"path": "x", "columns": ["de"]}}},
            "data.train.columns.1: missing; this key is required",
        ),
        (
            {"data": {"train": {"path": "x", "subset": "de-en"}}},
            "data.train: `subset` is of a Hugging Face dataset: leave it out, or give `hub`",
        ),
        (
            {"data": {"test": {"path": "x.tsv", "split": "test"}}},
            "data.test: `split: test` is of a Hugging Face dataset or of an embedded corpus, and "
            "files have none: leave it out",
        ),
        *(
            (
                {"data": {"train": {**corpus, "columns": ["a", "b"]}}},
                "data.train: `columns` are those of a Hugging Face dataset, a TSV, JSON lines or "
                "Parquet, and plain text has none: leave them out",
            )
            for corpus in ({"path": "x"}, {"source": "x", "target": "y"}, {"path": "embedded"})
        ),
        *(
            (
                {"data": {"test": {**corpus, "columns": ["de", "de"]}}},
                "data.test: `columns` are the source and its translation, and not de twice: name "
                "two columns",
            )
            for corpus in ({"path": "x.tsv"}, {"path": "x.parquet"}, {"hub": "x"})
        ),
        *(
            (
                {"data": {"source": "en", **data}},
                f"data: `{name}` has a column for each language, and both are en: name the "
                "columns, `columns: [SOURCE, TARGET]`",
            )
            for name, data in (
                ("train", {"train": [{"path": "x.tsv"}, {"path": "x.jsonl.gz"}]}),
                ("train", {"train": {"path": "x.parquet"}}),
                ("validation", {"validation": {"hub": "x"}}),
                ("test", {"source": "de", "test": {"path": "x.json", "languages": ["en", "en"]}}),
            )
        ),
        *(
            (
                {"data": {name: corpus}},
                f"data: `{name}` is at a URL, and it is read whole, from files: download it, and "
                "give its path",
            )
            for name, corpus in (
                ("validation", "https://example.org/x.parquet"),
                ("test", {"source": "x.de", "target": "s3://x/x.en"}),
            )
        ),
        (
            {"data": {"validation": {"path": "x", "alignments": "y"}}},
            "`data.validation.alignments` would do nothing, for links guide training alone: "
            "leave it out, or give `data.train.alignments`",
        ),
        (
            {**GUIDED, "model": {"attention": {"mechanism": "none"}}},
            "`mechanism: none` has no weights that `data.train.alignments` could guide: "
            "leave them out, or choose `mechanism: global`",
        ),
        (
            {**GUIDED, "model": {"attention": {"mechanism": "hard"}}},
            "`data.train.alignments` guide by a gradient, and `estimator: reinforce` "
            "learns by reward: leave them out, or choose `estimator: gumbel`",
        ),
        (
            {
                **GUIDED,
                "model": {"decoder": {"kind": "bahdanau"}},
                "training": {"guided_alignment": {"step": "shifted"}},
            },
            "`guided_alignment.step: shifted` guides the weights of the step that has read a "
            "piece, and `decoder.kind: bahdanau` attends before it reads: choose "
            "`step: predicted`, or `decoder.kind: luong`",
        ),
        (
            {"training": {"guided_alignment": {"weight": 1}}},
            "`training.guided_alignment` needs word links: give `data.train.alignments`, or "
            "leave it out",
        ),
        *(
            (
                {**GUIDED, "model": {"attention": attention}},
                "`guided_alignment.cost: ce` has no gradient where weights are exactly zero, as by "
                f"{zeros}: choose `cost: mse`, or `mechanism: global` with `normalizer: softmax`",
            )
            for attention, zeros in (
                ({"normalizer": "sparsemax"}, "`normalizer: sparsemax`"),
                (
                    {"mechanism": "multi_head", "normalizer": "entmax15"},
                    "`normalizer: entmax15`",
                ),
                ("local_m", "`mechanism: local_m`"),
                ("local_p", "`mechanism: local_p`"),
            )
        ),
        (
            {"decoding": {"attention_seed": 1}},
            "`decoding.attention_seed` has no effect with `mechanism: global`: leave it out; "
            "`mechanism: hard` and `monotonic` sample",
        ),
        (
            {"decoding": {"coverage_penalty": 0.1}, "model": {"attention": "none"}},
            "`decoding.coverage_penalty` sums the weights of attention, and `mechanism: none` has "
            "none: leave it out, or choose `mechanism: global`",
        ),
        (
            {"tokenizer": {"kind": "bpe", "sampling": {"nbest_size": 5}}},
            "tokenizer: `sampling.nbest_size` are those of `kind: unigram`, and `kind: bpe` draws "
            "by leaving merges out: leave it out, or choose `kind: unigram`",
        ),
        (
            {"tokenizer": {"sampling": {"nbest_size": 513}}},
            "tokenizer.sampling.nbest_size: input should be less than or equal to 512, not 513",
        ),
        (
            {"tokenizer": {"sampling": {"nbest_size": 1}}},
            "tokenizer.sampling: `nbest_size` is -1, for all segmentations, or 2 and more",
        ),
        (
            {"model": {"attention": {"score": "addictive"}}},
            "model.attention.score: unknown score 'addictive'; choose one of additive, "
            "normed_additive, dot, scaled_dot, general, scaled_general, location, or name a class "
            "of your own as package.module:Class",
        ),
        (
            {"model": {"attention": {"score": "dot"}, "decoder": {"hidden_size": 500}}},
            "model: the score 'dot' compares the decoder state with annotations directly: "
            "`decoder.hidden_size` (500) must be the size of an annotation (512), twice the "
            "`encoder.hidden_size` or an `encoder.annotation_size`; or choose 'general'",
        ),
        (
            {"model": {"tied_embeddings": "target", "decoder": {"readout_size": 7}}},
            "model: tied embeddings are also the output matrix: `decoder.readout_size` (7) "
            "must equal `embedding_size` (256)",
        ),
        (
            {"model": {"lexical_model": True, "attention": {"mechanism": "none"}}},
            "model: `lexical_model: true` reads the source words that are attended to, and "
            "`mechanism: none` attends to none: leave it out, or choose `mechanism: global`",
        ),
        (
            {"training": {"max_epochs": None}},
            "training: give `max_steps` or `max_epochs`",
        ),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(sections, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(f'small.yaml: {message}')}$"):
        configfile.validate(tree(**sections), where="small.yaml")


def test_the_file_is_not_named_for_a_mistake_of_the_command_line():
    with pytest.raises(ConfigError) as caught:
        configfile.with_overrides(
            tree(training={"patience": "few"}),
            ["model.encoder={hidden_size: big}", "model.dropout=2"],
            where="small.yaml",
        )

    assert str(caught.value).split("\n") == [
        "model.encoder.hidden_size: expected an integer, not 'big'",
        "model.dropout.rate: input should be less than 1, not 2",
        "small.yaml: training.patience: expected an integer, not 'few'",
    ]


def test_every_mistake_has_its_own_line():
    mistakes = tree(seed=-1, model={"dropout": -1}, modle={})

    with pytest.raises(ConfigError) as caught:
        configfile.validate(mistakes)

    keys = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert sorted(keys) == ["model.dropout.rate", "modle", "seed"]


def test_a_missing_section_is_named():
    with pytest.raises(ConfigError, match=r"^config: data: missing; this key is required$"):
        configfile.validate({})


def test_a_path_may_have_bytes_that_are_not_utf_8(write):
    path = os.fsdecode(b"\xff")

    assert configfile.load(write(SMALLEST), [rf'run="\u{ord(path):x}"']).run == path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: [\n", "small.yaml, line 2: not valid YAML (expected the node content"),
        ("model: {\x00}", "small.yaml: not valid YAML (special characters are not allowed)"),
        ("model: !!python/name:os.system", "small.yaml, line 1: not valid YAML (could not"),
        (r'run: "\ud800"', "small.yaml, line 1: not valid YAML (NUL, or half of a surrogate pair"),
        ('seed: 1\nrun: "a\\0"', "small.yaml, line 2: not valid YAML (NUL, or half of a surrogate"),
        ("[" * 5000, "small.yaml: not valid YAML (nested too deeply)"),
        *(
            (f"seed: {value}", "small.yaml: not valid YAML (a value that is not what its tag says")
            for value in ("!!int x", "!!bool x", "!!timestamp x", "!!int -0x_", "9" * 5000)
        ),
        (
            f"{SMALLEST}model: {{attention: {{score_options: &a {{x: *a}}}}}}",
            "small.yaml: model.attention.score_options.x.dict.x: recursion error - cyclic",
        ),
        (
            f"{SMALLEST}model: {{attention: {{score_options: {{x: !!binary aGk=}}}}}}",
            "small.yaml: model.attention.score_options.x: input was not a valid JSON value",
        ),
        ("- model", "small.yaml: expected a mapping of sections such as `data:` and `model:`"),
        ("", "small.yaml: expected a mapping of sections"),
        (SMALLEST + "1: 2", "small.yaml: 1: keys should be strings, not 1"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused_in_one_line(write, text, message):
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        configfile.load(write(text))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        ConfigError, match=r"none\.yaml: no such configuration file; `nmt init` writes one"
    ):
        configfile.load(tmp_path / "none.yaml")


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "latin1.yaml"
    path.write_bytes("run: übung".encode("latin-1"))

    with pytest.raises(
        ConfigError, match=r"a folder, not a configuration file; a run goes on with"
    ):
        configfile.load(tmp_path)
    with pytest.raises(ConfigError, match=r"latin1\.yaml: cannot be read as UTF-8 text"):
        configfile.load(path)


def test_a_string_is_a_path_and_a_list_is_a_pair_of_files(write):
    settings = configfile.load(write("data: {train: corpus/train, validation: [a.de, b.en]}"))

    assert settings.data.train == config.CorpusConfig(path="corpus/train")
    assert settings.data.validation == config.CorpusConfig(source="a.de", target="b.en")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1e-3", 0.001),
        ("1E-3", 0.001),
        ("1.0e-3", 0.001),
        (".001", 0.001),
        ("2", 2.0),
        ("2.", 2.0),
        ("+.5e1", 5.0),
    ],
)
def test_a_number_may_be_written_as_in_yaml_1_2(write, written, meant):
    from_file = configfile.load(write(f"{SMALLEST}training: {{learning_rate: {written}}}"))
    overridden = configfile.load(write(SMALLEST), [f"training.learning_rate={written}"])

    assert from_file.training.learning_rate == meant
    assert overridden.training.learning_rate == meant


@pytest.mark.parametrize("code", ["no", "on", "yes", "off", "NO", "y", "n"])
def test_a_language_code_stays_a_string(write, code):
    settings = configfile.load(
        write(f"data: {{source: {code}, target: en, train: a, validation: b}}")
    )

    assert settings.data.source == code


@pytest.mark.parametrize("written", ["true", "True", "TRUE"])
def test_true_is_a_truth_value(write, written):
    settings = configfile.load(write(f"{SMALLEST}tokenizer: {{byte_fallback: {written}}}"))

    assert settings.tokenizer.byte_fallback is True


def test_a_date_names_a_run(write):
    settings = configfile.load(write(SMALLEST), ["run=2026-01-31"])

    assert settings.run == "2026-01-31"


def test_an_override_beats_the_file_and_reaches_absent_sections(write):
    path = write(f"{SMALLEST}seed: 3\nmodel: {{dropout: 0.5, embedding_size: 8}}")

    settings = configfile.load(
        path,
        ["seed=4", "model.dropout=0.25", "decoding.beam=1", "data.test.hub=wmt14"],
    )

    assert settings.seed == 4
    assert settings.model.dropout == config.DropoutConfig(rate=0.25)
    assert settings.model.embedding_size == 8
    assert settings.decoding.beam == 1
    assert settings.data.test == config.CorpusConfig(hub="wmt14")


def test_a_later_override_beats_an_earlier_one(write):
    assert configfile.load(write(SMALLEST), ["seed=4", "seed=5"]).seed == 5


@pytest.mark.parametrize("override", ["seed", "=3", "", "data..x=1", ".seed=3", "seed.=3"])
def test_an_override_without_key_and_value_is_refused(write, override):
    message = f"^{re.escape(override)}: an override has the form section.key=value$"
    with pytest.raises(ConfigError, match=message):
        configfile.load(write(SMALLEST), [override])


@pytest.mark.parametrize(
    "tokenizer", [{"joint": False}, {"source_model": "a.model", "target_model": "b.model"}]
)
def test_tying_all_embeddings_needs_one_vocabulary(tokenizer):
    with pytest.raises(ConfigError, match=r"`model\.tied_embeddings: all` needs one vocabulary"):
        configfile.validate(tree(tokenizer=tokenizer, model={"tied_embeddings": "all"}))


def test_an_override_that_is_not_yaml_is_named(write):
    with pytest.raises(ConfigError, match=r"^seed=\[, line 1: not valid YAML"):
        configfile.load(write(SMALLEST), ["seed=["])


def test_an_override_with_an_unknown_key_is_refused(write):
    with pytest.raises(ConfigError, match=r"model\.dropuot: unknown key; did you mean"):
        configfile.load(write(SMALLEST), ["model.dropuot=0.1"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainning.max_steps=5", "trainning: unknown key; did you mean training?"),
        ("a.b.c.d=1", "a: unknown key; known: "),
        ("model.encodr.layers=2", "model.encodr: unknown key; did you mean model.encoder?"),
    ],
)
def test_a_section_that_only_an_override_names_is_not_blamed_on_the_file(write, override, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}"):
        configfile.load(write(SMALLEST), [override])


def test_a_wrong_section_of_the_file_stays_its_mistake_if_an_override_adds_to_it(write):
    path = write(f"{SMALLEST}trainning: {{seed: 1}}\n")

    with pytest.raises(ConfigError, match=f"^{re.escape(str(path))}: trainning: unknown key; did"):
        configfile.load(path, ["trainning.max_steps=5"])


def test_a_key_that_the_file_lacks_is_its_mistake_whatever_is_overridden(write):
    path = write("seed: 3\n")

    with pytest.raises(ConfigError, match=rf"^{re.escape(str(path))}: data\.train: missing; this"):
        configfile.load(path, ["data.validation=x"])


def test_the_run_folder_is_named_after_the_file(write):
    assert configfile.load(write(SMALLEST)).run == "runs/small"
    assert configfile.load(write(SMALLEST + "run: elsewhere")).run == "elsewhere"


def test_overrides_are_several():
    with pytest.raises(TypeError, match=r"overrides are a list of strings .*, not str"):
        configfile.parse_overrides("seed=3")


def test_a_copy_of_a_section_has_no_other_keys():
    settings = configfile.validate(tree())

    assert settings.model_copy(update={"seed": 2}).seed == 2
    with pytest.raises(ConfigError, match=r"training\.seed: unknown key; known: .*seed"):
        settings.model_copy(update={"training.seed": 2})


def test_a_section_cannot_be_changed():
    settings = configfile.validate(tree())

    with pytest.raises(ValueError, match="frozen"):
        settings.seed = 2


@pytest.mark.parametrize(
    ("written", "meant"), [("010", 10), ("+7", 7), ("0o17", 15), ("0x1F", 31), ("0", 0)]
)
def test_an_integer_is_as_in_yaml_1_2(write, written, meant):
    assert configfile.load(write(SMALLEST), [f"seed={written}"]).seed == meant


@pytest.mark.parametrize("written", ["1:30", "0b11", "="])
def test_what_only_yaml_1_1_reads_as_a_number_is_a_string(write, written):
    assert configfile.load(write(SMALLEST), [f"run={written}"]).run == written


def test_an_annotation_is_two_encoder_states_and_the_readout_defaults_to_the_embedding():
    sizes = configfile.validate(
        tree(model={"embedding_size": 6, "encoder": {"hidden_size": 4}})
    ).model
    with_readout = configfile.validate(tree(model={"decoder": {"readout_size": 9}})).model

    assert sizes.annotation_size == 8
    assert sizes.readout_size == 6
    assert with_readout.readout_size == 9


names = st.one_of(
    st.sampled_from(["no", "1e-3", "1_0", "2026-01-31", "null", "~", "12:30", "0x1f", "", " a: b"]),
    st.sampled_from(["010", "0o17", "=", "<<"]),
    st.text(string.printable, max_size=12),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), max_size=12),
)


@given(
    run=names,
    language=names,
    option=names,
    rate=st.floats(min_value=0, exclude_min=True, allow_infinity=False),
    steps=st.none() | st.integers(1, 10**12),
    corpus=st.one_of(names, st.tuples(names, names).map(list)),
)
def test_what_is_dumped_reads_back_equal(
    tmp_path_factory, run, language, option, rate, steps, corpus
):
    settings = configfile.validate(
        {
            "run": run,
            "data": {"source": language, "train": corpus, "validation": corpus},
            "model": {"attention": {"score": "a.b:C", "score_options": {option: option}}},
            "training": {"learning_rate": rate, "max_steps": steps},
        }
    )

    path = tmp_path_factory.mktemp("dumped") / "config.yaml"
    path.write_text(configfile.dump(settings), encoding="utf-8", newline="")

    assert configfile.load(path) == settings


def test_a_dump_shows_the_defaults(write):
    text = configfile.dump(configfile.load(write(SMALLEST)))

    assert "beam: 5" in text
    assert "kind: average" in text


def test_differences_name_each_value_that_changed():
    old = configfile.validate(tree(model={"dropout": 0.1}))
    new = configfile.validate(
        tree(seed=2, model={"dropout": 0.1, "attention": {"score": "general"}})
    )

    assert configfile.differences(old, old) == []
    assert configfile.differences(old, new) == [
        "model.attention.score: additive -> general",
        "seed: 1 -> 2",
    ]


def test_differences_show_a_corpus_that_was_added():
    old = configfile.validate(tree())
    new = configfile.validate(tree(data={"test": "corpus/test"}))

    assert configfile.differences(old, new) == [
        "data.test.path: None -> corpus/test",
        "data.test.split: None -> train",
    ]
