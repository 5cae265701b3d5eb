"""A server in this process, of two models, which all tests share."""

import pytest
from asking import held, serving
from reading import Page

from nmt.inference import programs
from nmt.inference.translator import Translator
from nmt.run import Run
from nmt.serving import starting


def make_room():
    """Drops the programs of other tests: a warning says if a model is served with many others."""
    if programs._program.cache_info().currsize > programs.MAX_PROGRAMS / 2:
        programs._program.cache_clear()


@pytest.fixture
def room():
    """No more than half of the programs that there may be."""
    make_room()


@pytest.fixture(scope="session")
def models(copy_run, noisy_run):
    """A model that copies letters, from German, and one with noise, from French."""
    make_room()
    metrics = starting.Metrics()
    found = []
    for name, run, source in (("copy", copy_run, "de"), ("noisy", noisy_run, "fr")):
        data = Run.open(run).config.data.model_copy(update={"source": source})
        translator = Translator.load(run)
        found.append(starting.served(name, translator, data, metrics=metrics, threads=2, longest=0))
    yield found
    for each in found:
        each.close(timeout=60)


@pytest.fixture
def service(models):
    """Makes a service of the models, with limits and other options."""

    def make(**options):
        limits = {
            name: options.pop(name)
            for name in list(options)
            if name in starting.Limits.__dataclass_fields__
        }
        return starting.Service(models, starting.Metrics(), starting.Limits(**limits), **options)

    return make


@pytest.fixture
def busy(models):
    """Keeps all threads of the first model busy, until it is set."""
    with held(models[0].engine, threads=2) as done:
        yield done


@pytest.fixture(scope="session")
def client(models):
    with serving(starting.Service(models, starting.Metrics(), starting.Limits())) as found:
        yield found


@pytest.fixture
def page(browser, client):
    """The page in Chromium; at the end nothing has gone wrong, and nobody else was asked."""
    opened = Page(browser, client)
    yield opened
    assert browser.get_log("browser") == []
    asked = opened.run("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert asked
    assert all(each.startswith(f"{opened.address}/") for each in asked)
