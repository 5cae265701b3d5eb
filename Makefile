PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-slow explore fuzz check docs format install clean
export NO_MKDOCS_2_WARNING := 1

demo: .venv/.installed  ## train, evaluate and plot on the embedded corpus
	$(BIN)/nmt demo

test: .venv/.installed-dev  ## the whole suite but the slow checks
	$(BIN)/pytest -n 2 --dist worksteal -m "not slow"

test-slow: .venv/.installed-dev  ## the checks that train for minutes, and those with Ray
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[ray]'
	$(BIN)/pytest -n 2 -m slow

explore: .venv/.installed-dev  ## the properties of the suite on examples never tried before
	$(BIN)/pytest -n 2 --dist worksteal -m "not slow" --hypothesis-profile=explore

fuzz: .venv/.installed-dev  ## any bytes as input, for a minute each; needs `pip install -e .[fuzz]`
	for target in config override text gzipped tsv json links gold model checkpoint; do \
	  $(BIN)/python tests/fuzz/fuzz.py $$target -max_total_time=60 || exit 1; done

check: .venv/.installed-dev  ## format, lint, types, floors, documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy nmt tools
	$(BIN)/lint-imports
	$(BIN)/nmt config --markdown | diff docs/configuration.md - || (echo "run make docs"; exit 1)
	$(BIN)/nmt config --schema | diff configs/schema.json - || (echo "run make docs"; exit 1)
	$(BIN)/mkdocs build --strict

docs: .venv/.installed-dev  ## what is made from the configuration's sections, and the site in site/
	$(BIN)/nmt config --markdown > docs/configuration.md
	$(BIN)/nmt config --schema > configs/schema.json
	$(BIN)/mkdocs build --strict

format: .venv/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

install: .venv/.installed-dev

clean:
	rm -rf .venv runs site .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(BIN)/python:
	$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

.venv/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@ .venv/.installed
