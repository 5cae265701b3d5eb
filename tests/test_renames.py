"""Old names of keys, values, options and commands work for a version more, with a notice."""

import re
import warnings
from pathlib import Path

import pytest

from nmt import configfile, yamltext
from nmt.cli import COMMANDS
from nmt.cli import renames as commands
from nmt.config import renames
from nmt.config.mistakes import ROOT
from nmt.errors import ConfigError

DATA = "data: {train: a, validation: b}\n"
# A value for each key that is none that it has by default, and what must be there beside it.
VALUES = {
    "data.max_ratio": (7.0, []),
    "data.batch.shapes": (3, []),
    "tokenizer.sampling.candidates": (5, []),
    "model.lexical": (True, []),
    "model.attention.normaliser": ("sparsemax", []),
    "model.attention.estimator.expected": (0.25, ["model.attention=hard"]),
    "training.accumulate": (4, []),
    "training.compute_type": ("bfloat16", []),
    "training.max_skipped": (3, []),
    "decoding.draw": (9, ["model.attention=hard"]),
    "decoding.max_ratio": (2.5, []),
}


def found(config, dotted):
    for name in dotted.split("."):
        config = getattr(config, name)
    return config


def test_every_old_key_has_a_value_here_and_every_new_one_is_a_key_of_today():
    assert VALUES.keys() == renames.KEYS.keys()
    for new in renames.KEYS.values():
        *parents, last = new.split(".")
        places = [ROOT]
        for parent in parents:
            places = [each.under(parent, name) for each in places for name in each.names]
        assert any(last in names.model_fields for each in places for names in each.names.values())


@pytest.mark.parametrize("old", renames.KEYS)
def test_an_old_key_is_read_in_a_file_and_as_an_override_and_named(tmp_path, old):
    new, (value, beside) = renames.KEYS[old], VALUES[old]
    path, written = tmp_path / "small.yaml", yamltext.parse(DATA, where="")
    path.write_text(DATA)
    notice = f"^{re.escape(old)} is now called {re.escape(new)}$"

    with pytest.warns(UserWarning, match=notice):
        overridden = configfile.load(path, [*beside, f"{old}={value}"])

    for override in beside:
        key, _, text = override.partition("=")
        configfile._set(written, key, text)
    configfile._set(written, old, value)
    path.write_text(str(written))
    with pytest.warns(UserWarning, match=rf"small\.yaml: {notice[1:]}"):
        read = configfile.load(path)

    assert found(read, new) == found(overridden, new) == value


@pytest.mark.parametrize(("key", "old"), renames.VALUES)
def test_an_old_value_is_read_and_named(tmp_path, key, old):
    path = tmp_path / "small.yaml"
    path.write_text("data: {train: {path: a, alignments: links}, validation: b}\n")
    new = renames.VALUES[key, old]

    with pytest.warns(UserWarning, match=rf"^{re.escape(key)}: {old} is now called {new}$"):
        config = configfile.load(path, [f"{key}={old}"])

    assert found(config, key) == new


def test_the_names_of_today_say_nothing(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(DATA)

    with warnings.catch_warnings(action="error"):
        configfile.load(path, ["training.gradient_accumulation=2", "decoding.max_output_ratio=2"])


def test_both_names_of_a_key_are_one_too_many(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(f"{DATA}training: {{accumulate: 2, gradient_accumulation: 4}}\n")

    message = (
        "training.accumulate is now called training.gradient_accumulation, which is given too; "
        "leave one of them out"
    )
    with pytest.raises(ConfigError, match=message):
        configfile.load(path)


def test_settings_of_a_search_in_python_may_have_old_names(tmp_path):
    config = configfile.validate({"data": {"train": "a", "validation": "b"}})

    with pytest.warns(UserWarning, match=r"decoding\.max_ratio is now called decoding\.max_outp"):
        settings = configfile.decoding(config, {"max_ratio": 3.0}, where="run")

    assert settings.max_output_ratio == 3.0


@pytest.mark.parametrize(
    ("given", "expected", "notices"),
    [
        ([], [], []),
        (["translate", "run", "--method"], ["translate", "run", "--method"], []),
        (
            ["symmetrise", "a", "b", "--method", "union"],
            ["symmetrize", "a", "b", "--symmetrization", "union"],
            [
                "nmt symmetrise is now called nmt symmetrize",
                "--method is now called --symmetrization",
            ],
        ),
        (
            ["align", "run", "--reverse=back", "--method", "saliency"],
            ["align", "run", "--backward=back", "--method", "saliency"],
            ["--reverse is now called --backward"],
        ),
        (["bench", "--type", "bfloat16"], ["bench", "--dtype", "bfloat16"], [None]),
    ],
)
def test_old_options_and_commands_are_translated_and_named(given, expected, notices):
    arguments, said = commands.renamed(given)

    assert arguments == expected
    if notices != [None]:
        assert said == notices


def test_every_new_command_and_option_exists():
    page = {
        path.stem: path.read_text()
        for path in (Path(commands.__file__).parent).glob("*.py")
        if path.stem != "renames"
    }
    for new in commands.COMMANDS.values():
        assert new in [command.__name__ for command in COMMANDS]
    for options in commands.OPTIONS.values():
        for new in options.values():
            name = new.removeprefix("--")
            assert any(re.search(rf"\b{name}: ", text) for text in page.values())
