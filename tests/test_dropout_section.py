"""`model.dropout`: the short form, a rate for each place, and what is refused."""

import pytest
import yaml

from nmt import config, configfile
from nmt.errors import ConfigError

DATA = "data: {train: a, validation: b}\n"


@pytest.fixture
def load(tmp_path):
    def load(text, *overrides):
        path = tmp_path / "small.yaml"
        path.write_text(DATA + text)
        return configfile.load(path, overrides)

    return load


@pytest.mark.parametrize(
    ("text", "overrides", "expected"),
    [
        ("", [], {"rate": 0.3}),
        ("model: {dropout: 0.5}", [], {"rate": 0.5}),
        ("model: {dropout: 0}", [], {"rate": 0.0}),
        ("model: {dropout: {rate: 0.5}}", [], {"rate": 0.5}),
        ("model: {dropout: {readout: 0.4}}", [], {"rate": 0.3, "readout": 0.4}),
        ("", ["model.dropout=0.5"], {"rate": 0.5}),
        ("", ["model.dropout.readout=0.4"], {"rate": 0.3, "readout": 0.4}),
        ("model: {dropout: 0.2}", ["model.dropout.readout=0.4"], {"rate": 0.2, "readout": 0.4}),
        ("model: {dropout: {readout: 0.4}}", ["model.dropout.rate=0.2"],
         {"rate": 0.2, "readout": 0.4}),
        ("model: {dropout: {readout: 0.4}}", ["model.dropout=0.2"], {"rate": 0.2}),
        ("model: {dropout: 0.2}", ["model.dropout={source_words: 0.1}"],
         {"rate": 0.3, "source_words": 0.1}),
        ("model: {dropout: 0.2}", ["model.dropout=0.5", "model.dropout.recurrent=0.1"],
         {"rate": 0.5, "recurrent": 0.1}),
    ],
)  # fmt: skip
def test_a_number_is_the_rate_and_places_are_set_beside_it(load, text, overrides, expected):
    assert load(text, *overrides).model.dropout == config.DropoutConfig(**expected)


def test_a_run_folder_keeps_what_was_given():
    given = {"data": {"train": "a", "validation": "b"}, "model": {"dropout": {"readout": 0.4}}}
    settings = configfile.validate(given)

    again = yaml.safe_load(configfile.dump(settings))

    assert configfile.validate(again) == settings
    assert again["model"]["dropout"]["embeddings"] is None


@pytest.mark.parametrize(
    ("given", "place", "rate"),
    [
        ({}, "embeddings", 0.3),
        ({"rate": 0.5}, "annotations", 0.5),
        ({"rate": 0.5, "annotations": 0.0}, "annotations", 0.0),
        ({"rate": 0.5, "annotations": 0.1}, "readout", 0.5),
        ({"rate": 0.0, "layers": 0.2}, "layers", 0.2),
    ],
)
def test_a_place_without_a_rate_of_its_own_has_that_of_all(given, place, rate):
    assert config.DropoutConfig(**given).at(place) == rate


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        ("model: {dropout: 1}", [], "model.dropout.rate: input should be less than 1, not 1"),
        ("model: {dropout: much}", [],
         "small.yaml: model.dropout.rate: expected a number, not 'much'"),
        ("model: {dropout: [0.1]}", [],
         "small.yaml: model.dropout: expected a section of the keys rate, embeddings, layers, "
         "annotations, readout, recurrent, source_words, target_words, not [0.1]"),
        ("model: {dropout: {words: 0.1}}", [],
         "model.dropout.words: unknown key; did you mean model.dropout.target_words?"),
        ("model: {dropout: {hidden: 0.1}}", [],
         "model.dropout.hidden: unknown key; known: rate, embeddings, layers, annotations, "
         "readout, recurrent, source_words, target_words"),
        ("model: {dropout: {annotation: 0.1}}", [],
         "model.dropout.annotation: unknown key; did you mean model.dropout.annotations?"),
        ("model: {dropout: 0.2}", ["model.dropout.recurrent=-0.1"],
         "model.dropout.recurrent: input should be greater than or equal to 0, not -0.1"),
        ("", ["model.dropout.layers=0.1"],
         "model: `dropout.layers` would do nothing, for encoder and decoder have one layer each: "
         "leave it out, or set `encoder.layers` or `decoder.layers`"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(load, text, overrides, message):
    with pytest.raises(ConfigError) as caught:
        load(text, *overrides)

    assert str(caught.value).endswith(message)


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_a_rate_between_layers_goes_with_two_layers_of_either_part(load, part):
    settings = load(f"model: {{{part}: {{layers: 2}}, dropout: {{layers: 0.1}}}}")

    assert settings.model.dropout.at("layers") == 0.1
