"""The log of a run: JSON lines that resuming rewrites, TensorBoard files, and the terminal."""

import io
import json
import struct

import numpy as np
import pytest
from limits import files_up_to
from rich.console import Console
from tensorboardX.proto.event_pb2 import Event

from nmt import configfile
from nmt.errors import RunError
from nmt.run import Run
from nmt.training.log import Display, Stopwatch, TrainingLog, forget_after


@pytest.fixture
def run(tmp_path):
    config = configfile.validate({"data": {"train": "unused", "validation": "unused"}})
    return Run(tmp_path, config)


def records(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def events(folder):
    """The events of TensorBoard files: length, checksum, message, checksum, time and again."""
    found = []
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            found.append(Event.FromString(data[12 : 12 + length]))
            data = data[16 + length :]
    return found


def scalars(folder):
    return [
        (event.step, value.tag, value.simple_value)
        for event in events(folder)
        for value in event.summary.value
    ]


def test_values_are_json_lines_and_numbers_are_scalars(run):
    log = TrainingLog(run, step=0)
    log.write(5, {"train/loss": 2.5, "train/epoch": 1, "validation/bleu_signature": "é|v:2"})
    log.write(10, {"train/loss": 1.5})
    log.close()

    assert records(run.metrics_path) == [
        {"step": 5, "train/loss": 2.5, "train/epoch": 1, "validation/bleu_signature": "é|v:2"},
        {"step": 10, "train/loss": 1.5},
    ]
    assert scalars(run.path / "tensorboard") == [
        (5, "train/loss", 2.5),
        (5, "train/epoch", 1.0),
        (10, "train/loss", 1.5),
    ]


def test_a_line_can_be_read_as_soon_as_it_is_written(run):
    log = TrainingLog(run, step=0)

    log.write(5, {"train/loss": 2.5})

    assert records(run.metrics_path) == [{"step": 5, "train/loss": 2.5}]
    log.close()


def test_an_image_is_written_with_its_size(run):
    log = TrainingLog(run, step=0)
    log.image(5, "attention/0", np.zeros((4, 6, 3), np.uint8))
    log.close()

    [image] = [
        value.image for event in events(run.path / "tensorboard") for value in event.summary.value
    ]
    assert (image.height, image.width) == (4, 6)
    assert image.encoded_image_string.startswith(b"\x89PNG")


def test_a_resumed_log_goes_on_after_its_step(run):
    first = TrainingLog(run, step=0)
    for step in (5, 10, 15):
        first.write(step, {"train/loss": 0.5 * step})
    first.close()

    second = TrainingLog(run, step=10)
    second.write(15, {"train/loss": 7.0})
    second.close()

    assert records(run.metrics_path) == [
        {"step": 5, "train/loss": 2.5},
        {"step": 10, "train/loss": 5.0},
        {"step": 15, "train/loss": 7.0},
    ]
    # TensorBoard drops by itself what lies after the step at which a new session starts.
    starts = [event for event in events(run.path / "tensorboard") if event.session_log.status == 1]
    assert starts[-1].step == 11


def test_forgetting_a_log_that_is_not_there_is_nothing(tmp_path):
    forget_after(tmp_path / "metrics.jsonl", 3)

    assert not (tmp_path / "metrics.jsonl").exists()


def test_a_line_that_was_cut_off_is_forgotten(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 5, "a": 1}\n{"step": 10, "a', encoding="utf-8")

    forget_after(path, 10)

    assert path.read_text(encoding="utf-8") == '{"step": 5, "a": 1}\n'


@pytest.mark.filterwarnings("ignore:.*goes on without TensorBoard")
def test_a_full_disk_is_one_line_and_leaves_what_was_written(run):
    with files_up_to(100):
        log = TrainingLog(run, step=0)
        log.write(5, {"train/loss": 2.5})
        with pytest.raises(
            RunError, match=r"metrics.jsonl: cannot be written \(File too large\); make"
        ):
            log.write(10, {"name": "x" * 100})
        log.close()

    forget_after(run.metrics_path, 10)
    assert records(run.metrics_path) == [{"step": 5, "train/loss": 2.5}]


def test_a_line_separator_within_a_string_ends_no_record(tmp_path):
    path = tmp_path / "metrics.jsonl"
    text = json.dumps({"step": 5, "a": "one\u2028two"}, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")

    forget_after(path, 5)

    assert path.read_text(encoding="utf-8") == text


def display(*, terminal):
    file = io.StringIO()
    console = Console(force_terminal=terminal, file=file, width=60, color_system=None)
    return Display(20, step=5, console=console), file


def test_a_damaged_line_is_named_when_training_goes_on(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": \n{"step": 3}\n')
    whole = path.read_bytes()

    with pytest.raises(RunError, match=r"metrics\.jsonl, line 2: no record of a step; remove it$"):
        forget_after(path, 5)

    assert path.read_bytes() == whole


def test_a_log_has_plain_lines_only():
    shown, file = display(terminal=False)

    shown.advance(6)
    shown.note("loss 1.5 [not markup] " + "and so on " * 20)
    shown.say("validation at step 6")
    shown.close()

    lines = file.getvalue().splitlines()
    assert lines == ["loss 1.5 [not markup] " + "and so on " * 20, "validation at step 6"]


def test_a_terminal_has_a_bar_beside_the_newest_numbers():
    shown, file = display(terminal=True)

    shown.advance(10)
    shown.note("loss 1.5")
    shown.say("validation at step 10")
    shown.close()

    text = file.getvalue()
    assert "step 10/20" in text
    assert "50%" in text
    assert "loss 1.5" in text
    assert "validation at step 10" in text


def test_a_bar_starts_where_training_goes_on():
    shown, file = display(terminal=True)

    shown.close()

    assert "step 5/20" in file.getvalue()


def test_a_lap_ends_where_the_next_one_starts():
    times = iter([10.0, 12.5, 20.0])

    watch = Stopwatch(lambda: next(times))

    assert [watch.lap(), watch.lap()] == [2.5, 7.5]


def test_training_goes_on_when_tensorboard_cannot_be_written(run):
    noise = np.random.default_rng(0).integers(0, 256, (99, 99, 3), np.uint8)
    log = TrainingLog(run, step=0)
    log.write(5, {"train/loss": 2.5})
    gone = (
        r"tensorboard: cannot be written \(File too large\); training goes on without TensorBoard"
    )
    with files_up_to(5000), pytest.warns(UserWarning, match=gone):
        log.image(5, "attention/0", noise)

    for step in range(15, 99):  # room again, and more than any queue holds
        log.write(step, {"train/loss": 0.5})
    log.close()

    assert [each["step"] for each in records(run.metrics_path)] == [5, *range(15, 99)]


def test_what_validation_takes_can_be_left_out():
    times = iter([10.0, 14.0, 15.0])
    watch = Stopwatch(lambda: next(times))

    split = watch.split()
    watch.leave_out(3.0)

    assert (split, watch.lap()) == (4.0, 2.0)


@pytest.mark.parametrize("name", ["tensorboard", "metrics.jsonl"])
def test_a_log_that_cannot_be_opened_is_named(run, name):
    (run.path / name).symlink_to("/proc/none/log")  # also root cannot write there

    with pytest.raises(RunError, match=rf"{name}: cannot be written \("):
        TrainingLog(run, step=0)
