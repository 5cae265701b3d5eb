"""The surroundings of every test, set before jax, datasets or matplotlib are imported."""

import atexit
import gc
import os
import shutil
import signal
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

_cache = tempfile.mkdtemp(prefix="nmt-tests-")
atexit.register(shutil.rmtree, _cache, ignore_errors=True)

# A shell that runs the tests in the background ignores Ctrl-C, and what they start inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Compiling the package to bytecode takes half a second, and checked by beartype eight; containers
# often forbid to keep it, and every worker and command would compile it again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["JAX_NUMPY_RANK_PROMOTION"] = "raise"
os.environ["JAX_DEFAULT_MATMUL_PRECISION"] = "highest"  # a GPU rounds inputs to 10 bits by default
# Tests compile more than they compute: fewer optimizations make compiling five times faster.
os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"
_flags = ["--xla_force_host_platform_device_count=2"]
if version("jax").startswith("0.10."):  # XLA ends the process at a flag that it does not know
    _flags += ["--xla_cpu_use_fusion_emitters=false", "--xla_cpu_parallel_codegen_split_count=1"]
os.environ["XLA_FLAGS"] = " ".join([os.environ.get("XLA_FLAGS", ""), *_flags])
os.environ["JAX_TRACEBACK_IN_LOCATIONS_LIMIT"] = "0"
# The workers of pytest-xdist, and the commands that tests start, share their compiled programs.
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["JAX_COMPILATION_CACHE_DIR"] = os.path.join(_cache, "compiled")
_shared = Path(os.environ["JAX_COMPILATION_CACHE_DIR"]).parent
os.environ["JAX_COMPILATION_CACHE_MAX_SIZE"] = str(2**31)  # with a limit, jax locks the folder
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.2"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HOME"] = _cache
os.environ["HF_DATASETS_CACHE"] = os.path.join(_cache, "datasets")
os.environ["XDG_CACHE_HOME"] = _cache
os.environ["MPLBACKEND"] = "Agg"
# As the command line sets them, before datasets reads them.
os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"
os.environ["DATASETS_VERBOSITY"] = "critical"

# Where arrays are, every call is checked for shapes and types; mypy has checked the rest.
WITH_ARRAYS = ("arrays", "attention", "inference", "model", "recurrent", "training", "weights")
install_import_hook(
    [f"nmt.{name}" for name in WITH_ARRAYS],
    "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))",
)

# Compilation takes seconds, and other tests run beside this one, so there is no deadline.
# Properties try the same examples everywhere, so that a suite turns red by a change and not by
# chance; `make explore` tries others, and more.
settings.register_profile("nmt", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("explore", deadline=None, print_blob=True, max_examples=200)
settings.load_profile("nmt")


@pytest.fixture(autouse=True, scope="session")
def fast_memory():
    """Allocates and collects as a command does: a tenth of the time of the suite."""
    from nmt.allocator import keep_freed_memory

    keep_freed_memory()
    gc.set_threshold(100_000)
    gc.collect()
    gc.freeze()  # what was imported stays to the end, and no collection looks at it again


@pytest.fixture(autouse=True, scope="module")
def few_memory_maps():
    """Drops compiled functions behind each module, not only where a training starts."""
    yield
    from nmt.training.memory import drop_programs

    drop_programs()


@pytest.fixture(scope="module")
def compiled_once():
    """Has trainings of the same configuration share their steps with those before them."""
    from compiled import shared_steps

    with shared_steps():
        yield


@pytest.fixture(scope="session")
def embedded_tokenizers():
    """A joint unigram model of a few hundred pairs, which changes characters as it splits words."""
    from nmt.config import TrainedTokenizerConfig
    from nmt.data import embedded, tokenizer_training

    pairs = embedded.pairs("train")[:400]
    return tokenizer_training.train(
        [pair.source for pair in pairs],
        [pair.target for pair in pairs],
        TrainedTokenizerConfig(vocabulary_size=160, byte_fallback=False, normalization="nmt_nfkc"),
    )


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real corpora beside the project."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real corpora (../shared/data) are not on this machine")
    return folder


QUIET = (
    "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
    "disable-background-networking", "disable-component-update", "disable-sync",
    "force-prefers-reduced-motion", "window-size=1400,900",
)  # fmt: skip


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """Chromium without a window, which asks for nothing from outside by itself."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("Chromium and its driver, which show pages, are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in QUIET:
        options.add_argument(f"--{flag}")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    with webdriver.Chrome(options=options, service=Service(driver)) as opened:
        yield opened


@pytest.fixture
def browser(chromium):
    """Chromium with an empty log."""
    chromium.get("about:blank")
    chromium.get_log("browser")
    return chromium


@pytest.fixture(scope="session")
def copy_run(tmp_path_factory):
    """A run folder of a small model that has learned to copy up to six letters."""
    return _trained_once(tmp_path_factory.mktemp("copy"), max_epochs=8)


@pytest.fixture(scope="session")
def reverse_run(tmp_path_factory):
    """A run folder of a model with the same vocabulary that writes the copy from right to left."""
    return _trained_once(tmp_path_factory.mktemp("reverse"), max_epochs=6, reverse_target=True)


@pytest.fixture(scope="session")
def noisy_run(copy_run, tmp_path_factory):
    """A run folder of the model that copies, with a little noise on its parameters."""
    import numpy as np
    from tiny import changed_run

    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("noisy") / "noisy"
    return changed_run(copy_run, folder, lambda leaf: leaf + rng.normal(0, 0.05, leaf.shape))


@pytest.fixture(scope="session")
def copy_bundle(copy_run, tmp_path_factory):
    """The bundle of the model that copies, without its card; tests only read it."""
    from nmt.run import Run
    from nmt.sharing.export import write

    run, folder = Run.open(copy_run), tmp_path_factory.mktemp("shared") / "bundle"
    write(run, folder, run.checkpoints.find("best"), "float32")
    return folder


@pytest.fixture(scope="session")
def spoken_run(tmp_path_factory):
    """A run folder of a small model that has learned to write the letters of vectors."""
    import vectors

    return _trained_once(
        tmp_path_factory.mktemp("spoken"),
        max_epochs=8,
        write=vectors.write,
        source="vectors",
        input={"kind": "vectors", "size": vectors.SIZE},
    )


@pytest.fixture(scope="session")
def aligning_run(tmp_path_factory):
    """A run folder of a network that has learned to align letters with other ones, in any order."""
    import aligning_runs

    return _trained_once(tmp_path_factory.mktemp("aligning"), aligning_runs.learned)


def _trained_once(folder, make=None, **settings):
    """Trains in the folder, or copies to it what another worker has trained; returns the run."""
    import yaml
    from filelock import FileLock

    kept = _shared / folder.name
    with FileLock(f"{kept}.lock"):
        if not kept.exists():
            run = (make or _copying)(folder, **settings)
            shutil.copytree(folder, kept)
            return run
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    config = folder / "run" / "config.yaml"
    text = config.read_text(encoding="utf-8")
    trained_in = str(Path(yaml.safe_load(text)["run"]).parent)
    config.write_text(text.replace(trained_in, str(folder)), encoding="utf-8")
    return folder / "run"


def _copying(folder, *, max_epochs, write=None, **data):
    from tiny import letters, tree, write_side_by_side

    from nmt import configfile
    from nmt.training.session import train

    same = letters(10, least=6, longest=6, seed=2)
    parts = {"train": letters(2000, longest=6, seed=1), "val": same}
    for name, part in parts.items():
        write_side_by_side(folder, name, part, part)
    if write is not None:
        names = {"train": "train", "val": "validation"}
        data |= {names[name]: write(folder, name, part) for name, part in parts.items()}
    settings = tree(
        folder / "run",
        folder,
        sentences=64,
        vocabulary=21,
        sizes=(16, 16, 32),
        dropout=0.0,
        learning_rate=1e-2,
        max_epochs=max_epochs,
        validate_every=100,
        attention_images=1,
    )
    settings["data"] |= data
    return train(configfile.validate({**settings, "decoding": {"batch": 16}})).path
