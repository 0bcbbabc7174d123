# Every test, and what the tests need. Plain `cargo test` needs only Rust, and the C compiler that Rust links with: ring, for
# https, is partly C.
.PHONY: test lint lint-template docs bench floor deny zip build-IngestFunction build-SweepFunction

# Nothing below may fetch a toolchain behind your back.
export RUSTUP_DIST_SERVER ?= http://127.0.0.1:9
export RUSTUP_UPDATE_ROOT ?= http://127.0.0.1:9
export RUSTUP_AUTO_INSTALL ?= 0

# The command line once more as most people build it, without the SDK.
test: e2e-servers laravel-ready
	cargo test --locked --test cli
	cargo test --locked --workspace --exclude queuewatch-bench --features e2e,laravel

# PHP, Debian's Laravel and Redis, for the tests against a real app: there, or named. `laravel-tools` installs them.
.PHONY: laravel-ready laravel-tools
laravel-ready:
	tests/laravel/tools $(if $(filter 0,$(shell id -u)),--install)
laravel-tools:
	tests/laravel/tools --install

# The servers of the end-to-end tests, beside what cargo builds; what they need and is not there is named.
E2E := $(or $(CARGO_TARGET_DIR),target)
.PHONY: e2e-servers
e2e-servers: $(E2E)/e2e-venv/installed $(E2E)/e2e-node/installed

$(E2E)/e2e-venv/installed: tests/e2e/requirements.txt
	@python3 -c 'import venv, ensurepip' || { echo "missing: python3 with venv, for the end-to-end tests"; exit 1; }
	python3 -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

$(E2E)/e2e-node/installed: tests/e2e/package.json
	@for tool in node npm; do command -v $$tool >/dev/null || { echo "missing: $$tool, for the end-to-end tests"; exit 1; }; done
	mkdir -p $(@D) && cp $< $(@D)/package.json
	npm install --prefix $(@D) --no-package-lock --no-audit --no-fund --ignore-scripts --omit=dev --silent
	touch $@

lint:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets --all-features -- -D warnings
	cargo clippy --locked --all-targets -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

deny:
	cargo deny --all-features --config .deny.toml check bans licenses sources

# Needs a C compiler, for the decoder that the measurements are set against.
bench:
	cargo bench --locked -p queuewatch-bench

# The part of it that no load of the machine changes, against bench/floor.toml. Needs valgrind, too.
floor:
	cargo bench --locked -p queuewatch-bench --bench heap
	cargo bench --locked -p queuewatch-bench --bench floor

# template.yaml by both that judge it: each lets through what the other finds. Then what `make zip` makes of it, around
# a stand-in: the README's command must get as far as asking AWS, here a port where nobody listens. Needs python3 with
# venv.
TEMPLATE_TOOLS := target/template-tools
PACKED := target/template-zip
lint-template: export SAM_CLI_TELEMETRY = 0
lint-template: export AWS_DEFAULT_REGION = us-east-1
lint-template: export __SAM_CLI_APP_DIR = $(CURDIR)/target/sam
lint-template: $(TEMPLATE_TOOLS)/installed
	$(TEMPLATE_TOOLS)/bin/sam validate --template template.yaml
	$(TEMPLATE_TOOLS)/bin/sam validate --template template.yaml --lint
	$(TEMPLATE_TOOLS)/bin/cfn-lint --include-checks I -- template.yaml
	rm -rf $(PACKED) && mkdir -p $(PACKED)/build && echo 'a stand-in' > $(PACKED)/build/bootstrap
	python3 packaging/zip.py arm64 $(PACKED)/build $(PACKED)/dist
	$(TEMPLATE_TOOLS)/bin/sam validate --template $(PACKED)/dist/template.yaml
	python3 packaging/plain.py arm64 $(PACKED)/dist
	$(TEMPLATE_TOOLS)/bin/cfn-lint --include-checks I -- $(PACKED)/dist/template-plain-arm64.yaml
	@echo 'sam deploy --template $(PACKED)/dist/template.yaml, to nobody'
	@said=$$(env -u AWS_PROFILE AWS_CONFIG_FILE=/dev/null AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none \
		AWS_ENDPOINT_URL=http://127.0.0.1:9 AWS_MAX_ATTEMPTS=1 $(TEMPLATE_TOOLS)/bin/sam deploy \
		--template $(PACKED)/dist/template.yaml --parameter-overrides LogGroupName=/ecs/my-app AlarmEmail=me@example.com App=my-app 2>&1); \
		case "$$said" in *'"http://127.0.0.1:9/"'*) ;; *) echo "$$said"; exit 1 ;; esac

$(TEMPLATE_TOOLS)/installed: .ci/requirements-template.txt
	python3 -m venv --clear $(TEMPLATE_TOOLS)
	$(TEMPLATE_TOOLS)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# What `sam build` calls, once for each function, with ARTIFACTS_DIR. It compiles once: the second finds it done.
ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
build-IngestFunction build-SweepFunction:
	$(ROOT)/packaging/build-lambda $(ARTIFACTS_DIR)

# The function for machines without Rust: `sam deploy --template dist/template.yaml`.
export ARCH ?= arm64
DIST ?= dist
.PHONY: proof
# Runs that zip: one ingest, one sweep and a warning against the local servers. What is for another machine runs under
# qemu (Debian, Ubuntu: qemu-user-static, and libc6-arm64-cross or libc6-amd64-cross). CI does not: compiled with every
# optimisation it takes minutes.
PROVED := target/proof-$(ARCH)
proof: e2e-servers zip
	rm -rf $(PROVED)
	python3 -m zipfile -e $(DIST)/queuewatch-lambda-$(ARCH).zip $(PROVED)
	chmod +x $(PROVED)/bootstrap
	QUEUEWATCH_PACKAGED="$$(packaging/runner $(ARCH))$(CURDIR)/$(PROVED)/bootstrap" \
		env -u RUSTC cargo test --locked --features packaged --test e2e packaged -- --nocapture

# The deployed stack: what `make zip` packs is deployed by the README's commands on an emulator of AWS, pages, recovers, is
# renewed and deleted. docs/stack.md says what it shows. Needs python3 with venv; four minutes beside compiling.
# `stack-long` takes the grace that a stack has by itself, and waits for the greeting: twenty minutes.
STACK := target/stack
STACK_ARCH := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)
stack-long: export STACK_ARGUMENTS = --long
.PHONY: stack stack-long
stack stack-long: $(STACK)/venv/installed $(TEMPLATE_TOOLS)/installed
	$(MAKE) zip ARCH=$(STACK_ARCH) DIST=$(STACK)/dist
	cargo build --locked --features aws --bin queuewatch
	$(STACK)/venv/bin/python -m tests.stack --packed $(STACK)/dist --sam $(TEMPLATE_TOOLS)/bin/sam \
		--queuewatch $(or $(CARGO_TARGET_DIR),target)/debug/queuewatch $(STACK_ARGUMENTS)

$(STACK)/venv/installed: tests/stack/requirements.txt
	@python3 -c 'import venv, ensurepip' || { echo "missing: python3 with venv, for the deployed stack"; exit 1; }
	python3 -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# What a version is made of: the command line, linked statically, as archive and .deb, the function's zips with a template that
# needs no SAM, bills of materials, checksums. What this machine cannot make is named and left out.
.PHONY: release
release:
	packaging/release $(DIST)/release

zip:
	packaging/build-lambda target/lambda/package-$(ARCH)
	python3 packaging/zip.py $(ARCH) target/lambda/package-$(ARCH) $(DIST)
