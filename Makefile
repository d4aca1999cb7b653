# make serve     build the book, serve it, rebuild it as you edit   (make serve PORT=8001)
# make test      run every test                          (make test TESTS=tests/test_pages.py)
# make refresh   rewrite outputs and figures             (make refresh PAGES=docs/index.md)
# make build     build the site into site/
# make offline   pack the site into a zip that opens from disk
# make lighthouse  measure the site's pages              (make lighthouse PAGES=labs/one-layer/)
# make pdf       print the book into a PDF                (needs Chromium)
#
# Each of them first makes the environment .venv, once; another Python: make test PYTHON=python3.12

PYTHON ?= python3
PORT ?= 8000
PAGES ?=
TESTS ?=
EXTRAS ?= book,test
NAME := learning-from-mistakes

RUN := .venv/bin/python -m
READY := .venv/ready

.PHONY: help serve test refresh build lighthouse offline pdf

help:
	@sed -n 's/^# \{0,1\}//; /^$$/q; p' Makefile

serve: $(READY)
	@$(RUN) press.serve --port $(PORT)

test: $(READY)
	$(RUN) pytest -n 2 --dist loadgroup $(TESTS)

refresh: $(READY)
	@$(RUN) press.refresh $(PAGES)

build: $(READY)
	$(RUN) mkdocs build --strict

lighthouse: build
	@$(RUN) press.lighthouse site $(PAGES)

offline: build
	@$(RUN) press.offline site $(NAME).zip

pdf: build
	@$(RUN) press.print_book site $(NAME).pdf

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) > /dev/null || { echo "There is no $(PYTHON). Install Python 3.11 or newer, or name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$($(PYTHON) -V), and the book needs 3.11 or newer. Name one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$(EXTRAS)]"
	@touch $@
