PORT ?= 8000
MINUTES ?= 10
PYTHON ?= python3
VENV := .venv
AUDIT := $(VENV)/audit
# Two more than there are cores: the integration and browser tests wait for a third of their time.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)
# A file's tests run in one process, and the files in their order: a browser, once started, keeps its event loop.
PYTEST := $(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
STATIC_CHECKS := $(VENV)/bin/ruff format --check . && $(VENV)/bin/ruff check . && $(VENV)/bin/mypy --num-workers 2
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet

# An environment's scripts contain the paths of its folder and of its Python. If it was moved or copied, or its Python is
# gone, it is deleted.
$(shell [ ! -s $(VENV)/.installed ] || { [ "$$(cat $(VENV)/.installed)" = "$$(pwd -P)" ] && \
	$(VENV)/bin/python -c 'import pip' 2>/dev/null; } || rm -rf $(VENV))

.PHONY: help run setup test _programs _static-checks _compiled check container lock audit sbom picture benchmark benchmark-delivery benchmark-console benchmark-slow benchmark-times soak robots platforms dist wordpress release-check clean

run: setup                ## the demo: a broker's page, its forms and what the CRM received
	$(VENV)/bin/intresse serve --demo --port $(PORT)

setup: $(VENV)/.installed ## the environment, with the `intresse` command in it

# The dependencies are locked with hashes; the project itself is a link to this folder, built without the network.
$(VENV)/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Intresse needs Python 3.11 or newer; try make PYTHON=python3.12"; exit 1; }
	@$(VENV)/bin/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing the locked dependencies into $(VENV) …"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@pwd -P > $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

test: $(VENV)/.installed-dev ## everything that CI runs; ends with the test runner's summary
	@$(MAKE) --no-print-directory -j3 _programs _static-checks _compiled
	$(PYTEST) --durations=15

_programs:
	@sh tests/install-programs >/dev/null

_static-checks:
	$(STATIC_CHECKS)

# The tests run in several processes, and start hundreds more. Each would compile all modules and templates where
# PYTHONDONTWRITEBYTECODE is set; pytest compiles the tests themselves.
_compiled:
	@$(VENV)/bin/python -m compileall -q app
	@$(VENV)/bin/python -m app.web.rendering.precompile
	@PYTHONDONTWRITEBYTECODE= $(VENV)/bin/python -m pytest --collect-only >/dev/null 2>&1 || true  # the run shows what is wrong

check: $(VENV)/.installed-dev ## the quick part of it, for every save: format, lint, types, unit tests
	$(STATIC_CHECKS)
	$(PYTEST) tests/unit

container:                ## the image, built and tried without Docker; not part of `make test`
	.ci/container

lock:                     ## renew the locked requirements (needs uv)
	uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-annotate --no-header pyproject.toml --group build -o requirements.txt
	uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-annotate --no-header pyproject.toml --group dev -o requirements-dev.txt
	uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-annotate --no-header --group audit -o requirements-audit.txt

# First a version with known vulnerabilities: if none is reported, the database was not reached.
audit: $(AUDIT)/.installed ## known vulnerabilities of what is locked; skipped where their database can't be reached
	@echo "pip==19.0" > $(AUDIT)/vulnerable.txt
	@if $(AUDIT)/bin/pip-audit --requirement $(AUDIT)/vulnerable.txt --no-deps --disable-pip --progress-spinner off 2>&1 | grep -q "PYSEC-\|GHSA-\|CVE-"; then \
		$(AUDIT)/bin/pip-audit --requirement requirements.txt --require-hashes --disable-pip --progress-spinner off; \
	else \
		echo "audit SKIPPED: the database of vulnerabilities can't be reached"; \
	fi

sbom: $(AUDIT)/.installed ## sbom.json: what is in the product, as CycloneDX
	$(AUDIT)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-file sbom.json requirements.txt

$(AUDIT)/.installed: requirements-audit.txt
	@$(AUDIT)/bin/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(AUDIT)
	@$(AUDIT)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	@touch $@

benchmark: $(VENV)/.installed-dev ## the figures in docs/performance.md: posts, pages, memory
	$(VENV)/bin/python -m benchmarks

benchmark-delivery: $(VENV)/.installed-dev ## the delivery worker, on SQLite and on PostgreSQL
	$(VENV)/bin/python -m benchmarks.delivery_report

benchmark-console: $(VENV)/.installed-dev ## the console, with 1,000,000 submissions, and what its use costs the posts
	$(VENV)/bin/python -m benchmarks.console

benchmark-slow: $(VENV)/.installed-dev ## memory with 1,000 slow connections behind the proxy (needs caddy and /proc)
	$(VENV)/bin/python -m benchmarks.slow_connections

benchmark-times: $(VENV)/.installed-dev ## the form of open times, and how often Vitec is read for it
	$(VENV)/bin/python -m benchmarks.open_times

soak: $(VENV)/.installed-dev ## processes killed and frozen under load, on each database: lost, twice
	$(VENV)/bin/python -m tests.endurance --minutes $(MINUTES)

robots: $(VENV)/.installed-dev ## 10,000 robot posts while visitors get through; the tests send a tenth of them
	INTRESSE_TEST_ROBOT_POSTS=10000 $(VENV)/bin/python -m pytest -q tests/acceptance/test_spam.py -k robots_post

platforms: $(VENV)/.installed-dev ## a wheel of every locked dependency for every supported platform and Python
	INTRESSE_TEST_EVERY_PLATFORM=1 $(VENV)/bin/python -m pytest tests/acceptance/test_platforms.py

dist: $(VENV)/.installed-dev ## dist/: the wheel, its source, and the WordPress plugin's zip
	rm -rf dist
	$(VENV)/bin/python -m hatchling build --directory dist
	$(VENV)/bin/python -m integrations.wordpress.package dist

wordpress: $(VENV)/.installed-dev ## the plugin in Debian's WordPress, with a browser; not part of `make test`
	@sh tests/install-programs >/dev/null
	@sh tests/wordpress/install-programs >/dev/null
	$(VENV)/bin/python -m pytest tests/wordpress --timeout 300

release-check: ## all that a release needs: tests, platforms, packages, the image, WordPress, a clean installation
	$(MAKE) audit sbom test platforms dist container wordpress
	rm -rf dist/clean
	$(PYTHON) -m venv dist/clean
	dist/clean/bin/python -m pip --disable-pip-version-check --quiet install dist/*.whl
	cd / && $(CURDIR)/dist/clean/bin/intresse --version
	rm -rf dist/clean

picture: $(VENV)/.installed-dev ## docs/demo.png, from the running product
	$(VENV)/bin/python -m docs.picture

clean:                    ## takes the environment away
	rm -rf $(VENV)

help:                     ## this list; `make` alone is `make run`
	@sed -n 's/^\([a-z-]*\): .*## /  make \1\t/p' Makefile | expand -t 28
