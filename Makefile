# Every target is complete by itself: .ci/setup first installs what is missing, and does nothing where nothing is.
.PHONY: help demo test test-heavy test-long test-all test-lowest coverage bench clean

# The loader of macOS does not find Homebrew's libraries by itself.
ifeq ($(shell uname -s),Darwin)
run = DYLD_FALLBACK_LIBRARY_PATH=/opt/homebrew/lib:/usr/local/lib:/usr/lib
endif
# Compiled tests are kept from one run to the next, whatever the shell says: compiling takes a tenth of a quick run.
unexport PYTHONDONTWRITEBYTECODE
pytest = $(run) .venv/bin/python -m pytest
# Heavy tests wait for other programs now and then: three workers keep two cores busy.
workers = $$(( ($$(getconf _NPROCESSORS_ONLN) * 3 + 1) / 2 ))

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

demo: ## build the invoices of the recorded sample cycle, offline
	@sh .ci/setup demo
	$(run) .venv/bin/reportgen run configs/example --cycle 2025-12-05

# With FLOOR=99.1 every process is measured as well, in whatever folder it runs, and less than that much of lines and branches fails.
test: ## check style and types, and run the quick tests
	@sh .ci/setup test
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	$(if $(FLOOR),.venv/bin/coverage erase)
	$(if $(FLOOR),COVERAGE_FILE='$(CURDIR)/.coverage') $(run) .venv/bin/python $(if $(FLOOR),-m coverage run) -m pytest -n auto --dist loadfile -m 'not heavy and not long'
	$(if $(FLOOR),.venv/bin/coverage combine --quiet && .venv/bin/coverage report --fail-under $(FLOOR))

coverage: ## do that, and print which lines and branches no quick test reaches
	@$(MAKE) --no-print-directory test FLOOR=1

test-heavy: ## run the tests that are slow or need heavy tools
	@sh .ci/setup heavy
	$(pytest) -n $(workers) --dist loadfile -m 'heavy and not long'

test-long: ## run what takes many minutes by nature: hundreds of whole cycles, every law thoroughly
	@sh .ci/setup heavy
	$(pytest) -n auto --dist loadfile --hypothesis-profile thorough -m 'long or hypothesis'

test-all: test test-heavy test-long ## run all of them

test-lowest: ## run the quick tests at the oldest versions that pyproject.toml allows; PYTHON= names another Python
	@sh .ci/setup lowest
	$(run) .venv-lowest$(if $(PYTHON),-$(notdir $(PYTHON)))/bin/python -m pytest -n auto --dist loadfile -m 'not heavy and not long'

# ONLY="pdf workbook" measures these parts alone; FULL=1 draws 3,000 cost centers as well, ten minutes more.
bench: ## measure how fast it is, each figure beside its reference: one table of ratios
	@sh .ci/setup bench
	$(run) .venv-bench/bin/python -m benchmarks $(if $(FULL),--full) $(ONLY)

clean: ## remove .venv and caches (never the archive)
	rm -rf .venv .venv-lowest* .venv-bench build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
	find . -name __pycache__ -prune -exec rm -rf {} +
