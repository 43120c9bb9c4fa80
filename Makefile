# The two commands of the README are `make run` and `make test`; `make help` lists all.
# Repeating costs nothing: what is installed is remembered by the settings it was installed from.

PYTHON := /usr/bin/python3
ARGS :=
PYTEST_ARGS :=
# Environments of the real Neutron, for `make golden-neutron`.
GOLDEN_NEUTRON := /var/tmp/overlaylab-neutron
NEUTRON_OPTIONS := topologies/scenario/neutron
# Where `make test` leaves pytest's own exit status (make itself only knows 0 and 2).
STATUS_FILE :=

# Programs the lab calls; Mininet comes from here because PyPI's has no mnexec.
DEBIAN := mininet openvswitch-switch iproute2 iputils-ping procps tcpdump tshark ethtool iperf3 iptables nftables dnsmasq-base udhcpc graphviz python3-venv
# What tests need beside: a browser that opens report.html (110 MB to fetch, so not for `make run`).
DEBIAN_TEST := chromium

IS_ROOT := $(filter 0,$(shell id -u))
SUDO := $(if $(IS_ROOT),,$(shell command -v sudo))
APT := $(SUDO) env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300
# What lies in the caller's own site folder would be missing under sudo: it does not count as installed.
PIP = PYTHONNOUSERSITE=1 $(1)/bin/python -m pip -qq --disable-pip-version-check --no-input install

# An environment is made anew when the interpreter or the folder changed, installed into when the settings did.
# (Expanded in recipes only, since Python itself may have to be installed first.)
HOME_KEY = $(shell $(PYTHON) -V 2>&1 | tr ' ' -)|$(CURDIR)
RUN_KEY = $(HOME_KEY)|$(shell cat pyproject.toml setup.py | cksum)
RYU_KEY = $(HOME_KEY)|$(shell cat requirements-ryu.txt requirements-ryu.pth | cksum)

# `venv --clear` empties the folder that a link points to, which may be the environment of another checkout.
NO_LINK = test ! -L $(1) || { echo '$(1) is a link to an environment made elsewhere: remove the link first' >&2; exit 1; }

CODE := overlaylab topologies controller experiments tests
# Files made under sudo belong to whoever called it.
MADE := .venv .venv-ryu overlaylab.egg-info build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
GIVE_BACK := test -z "$(IS_ROOT)" -o -z "$$SUDO_UID" || { find $(MADE) $$(find $(CODE) -name __pycache__) \
    -user 0 -exec chown -h "$$SUDO_UID:$$SUDO_GID" {} + 2>/dev/null || true; }

.PHONY: help run test fuzz check docs golden drawing golden-neutron neutron-options doctor ready ready-dev ready-ryu debian debian-test clean
.DEFAULT_GOAL := help

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

run: ready  ## what is missing, then the experiments: make run ARGS="latency --quick"
	@$(SUDO) .venv/bin/python experiments/run.py $(ARGS); status=$$?; $(GIVE_BACK); \
	test $$status -ne 3 || status=0; exit $$status  # 3: done, and the verdict says what to think of it

# Tests without root share the processors.  Of those with root two run at once, each module in one
# process, since its tests share labs.
# pytest's status 2 is Ctrl-C; 5 means that PYTEST_ARGS chose tests of the other part only.
test: ready-dev ready-ryu debian-test  ## what is missing, then every test that this user may run
	@$(if $(IS_ROOT),export NEED_ROOT=$${NEED_ROOT-1};) test ! -e .venv-ryu/ready || export NEED_RYU=$${NEED_RYU-1}; \
	.venv/bin/python -m pytest -n auto --needs-root=no $(PYTEST_ARGS); status=$$?; \
	$(if $(IS_ROOT),test $$status -eq 2 || { .venv/bin/python -m pytest -n 2 --dist loadfile --needs-root=yes $(PYTEST_ARGS); rooted=$$?; \
	    test $$status -ne 0 -a $$status -ne 5 -o $$rooted -eq 5 || status=$$rooted; };) $(GIVE_BACK); \
	$(if $(STATUS_FILE),echo $$status > $(STATUS_FILE);) \
	$(if $(IS_ROOT),,echo 'Tests that need root were left out; `sudo make test` runs them.' >&2;) exit $$status

# Rounds of new inputs until the time is over; each prints its seed, its inputs by kind, and what it found.
FUZZ_SECONDS := 600
fuzz: ready-dev  ## ten minutes of generated files, requests and command lines; none may end in a traceback
	@end=$$(($$(date +%s) + $(FUZZ_SECONDS))); status=0; \
	while [ $$(date +%s) -lt $$end ]; do seed=$$(od -An -N4 -tu4 /dev/urandom | tr -d ' '); echo "seed $$seed"; \
	    HYPOTHESIS_PROFILE=fuzz FUZZ_UNTIL=$$end .venv/bin/python -m pytest -q -p no:randomly --timeout=900 \
	        --hypothesis-seed=$$seed $(PYTEST_ARGS) tests/fuzz || status=$$?; \
	    test $$status -ne 2 || break; done; $(GIVE_BACK); exit $$status

check: ready-dev  ## format, lint, spelling, types, imports
	@set -e; trap '$(GIVE_BACK)' EXIT; PATH="$(CURDIR)/.venv/bin:$$PATH"; \
	ruff format --check; ruff check; codespell; mypy; lint-imports

docs: ready-dev  ## the documentation as a site: build/site/index.html; a broken link is an error
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --quiet --strict --clean; status=$$?; $(GIVE_BACK); exit $$status

golden: ready-dev  ## write tests/golden anew; read the difference before you commit it
	@GOLDEN=write .venv/bin/python -m pytest -q tests/golden $(PYTEST_ARGS); status=$$?; $(GIVE_BACK); exit $$status

golden-neutron: ready-dev  ## record the real Neutron agents anew (root; see tests/golden/neutron/README.md)
	@mkdir -p $(GOLDEN_NEUTRON); .venv/bin/python -m tests.golden.neutron.make $(GOLDEN_NEUTRON) $(ARGS); status=$$?; $(GIVE_BACK); exit $$status

drawing: ready-dev  ## draw docs/images/article-lab.svg anew, the lab in README.md
	@.venv/bin/python experiments/run.py graph article -o docs/images/article-lab.svg; status=$$?; $(GIVE_BACK); exit $$status

# Each release in an environment of its own, of which nothing is kept (300 MB to fetch).
neutron-options: | debian  ## write topologies/scenario/neutron/*.json anew, from Neutron's packages
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; for name in queens current linuxbridge; do \
	    echo "reading the options of $$name ..." >&2; $(PYTHON) -m venv "$$folder/$$name"; \
	    case $$name in queens) only=--no-deps;; *) only=;; esac; \
	    $(call PIP,"$$folder/$$name") $$only --requirement $(NEUTRON_OPTIONS)/requirements-$$name.txt; \
	    case $$name in linuxbridge) files=linuxbridge_agent.ini;; *) files=;; esac; \
	    "$$folder/$$name/bin/python" -W ignore $(NEUTRON_OPTIONS)/dump.py $$files > "$$folder/$$name.json"; \
	    mv "$$folder/$$name.json" $(NEUTRON_OPTIONS)/$$name.json; done

doctor: ready  ## what this machine has and lacks
	@.venv/bin/python experiments/run.py doctor

ready: debian  ## install what is missing, and no more
	@set -e; test "$$(cat .venv/ready 2>/dev/null)" != '$(RUN_KEY)' || exit 0; trap '$(GIVE_BACK)' EXIT; \
	test "$$(cat .venv/home 2>/dev/null)" = '$(HOME_KEY)' || { $(call NO_LINK,.venv); echo 'making .venv ...' >&2; \
	    $(PYTHON) -m venv --clear --system-site-packages .venv; echo '$(HOME_KEY)' > .venv/home; }; \
	echo 'installing overlaylab into .venv ...' >&2; \
	$(call PIP,.venv) --editable .; echo '$(RUN_KEY)' > .venv/ready

ready-dev: ready  ## the same, and what the tests need
	@set -e; test "$$(cat .venv/ready-dev 2>/dev/null)" != '$(RUN_KEY)' || exit 0; trap '$(GIVE_BACK)' EXIT; \
	echo 'installing the test tools into .venv ...' >&2; \
	$(call PIP,.venv) --editable '.[dev]'; echo '$(RUN_KEY)' > .venv/ready-dev

# Ryu asks for old build tools, and they for a Python before 3.12.
ready-ryu: debian  ## Ryu 4.34 in an environment of its own
	@set -e; test "$$(cat .venv-ryu/ready 2>/dev/null)" != '$(RYU_KEY)' || exit 0; trap '$(GIVE_BACK)' EXIT; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 12))' || { \
	    echo 'Ryu 4.34 does not run on Python 3.12 and later: no .venv-ryu.' >&2; rm -rf .venv-ryu; exit 0; }; \
	$(call NO_LINK,.venv-ryu); echo 'making .venv-ryu ...' >&2; $(PYTHON) -m venv --clear .venv-ryu; \
	$(call PIP,.venv-ryu) pip==23.0.1 setuptools==66.1.1 wheel==0.38.4; \
	$(call PIP,.venv-ryu) --no-build-isolation --requirement requirements-ryu.txt; \
	site=$$(.venv-ryu/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
	cp requirements-ryu.pth "$$site/eventlet-for-ryu.pth"; \
	.venv-ryu/bin/ryu-manager --version >/dev/null; echo '$(RYU_KEY)' > .venv-ryu/ready

debian: PACKAGES = $(DEBIAN)
debian-test: PACKAGES = $(DEBIAN_TEST)
debian-test: OTHERWISE = || echo 'without $(DEBIAN_TEST): the tests that need it will say so' >&2
debian debian-test:
	@set -e; missing=; have=$$(dpkg-query -W -f '$${Package} $${db:Status-Status}\n' $(PACKAGES) 2>/dev/null || true); \
	for package in $(PACKAGES); do case "$$have" in *"$$package installed"*) ;; *) missing="$$missing $$package";; esac; done; \
	test -n "$$missing" || exit 0; echo "installing$$missing ..." >&2; \
	$(APT) update >/dev/null || true; $(APT) install --yes --no-install-recommends $$missing >/dev/null $(OTHERWISE)

clean:  ## remove what make made; results/ stays
	@rm -rf $(MADE)
	@find $(CODE) -name __pycache__ -prune -exec rm -rf {} +
