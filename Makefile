# The one command surface. `make help` lists it.

# Named, so that flags for the static binary do not reach build scripts and macros.
TARGET := $(shell rustc -vV | sed -n "s/^host: //p")
IMAGE ?= localhost/pushprom:latest
# Seconds that each fuzz target runs.
FUZZ_SECONDS ?= 600
# The micro-benchmarks, and what makes them write JSON to standard output. Where memory lies changes no
# count, and containers do not let anyone fix it.
MICRO := cargo bench --quiet --locked --bench micro
AS_JSON := --output-format=json --allow-aslr

TARGET_DIR := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
# Where the tests' build is. They select the whole workspace each time: with other packages selected, crates have
# other features, and are compiled again.
DEBUG := $(TARGET_DIR)/debug
PHP_PACKAGES := $(dir $(wildcard clients/*/composer.json))

.PHONY: help run lint analyse test clients release container bench bench-clients fuzz install

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

run: ## serve on the default ports (ARGS="-debug" adds flags)
	cargo run --release --locked -p pushprom -- $(ARGS)

lint: ## check the layout of the code, and what clippy says
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo fmt --manifest-path fuzz/Cargo.toml --all --check
	cargo clippy --manifest-path fuzz/Cargo.toml --target-dir $(TARGET_DIR) --workspace --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --document-private-items --quiet
	@scripts/install php phpcs
	find clients -name '*.php' -print0 | xargs -0 -n 1 -P 2 php -l >/dev/null
	phpcs --standard=PSR12 --extensions=php clients

analyse: ## analyse the clients for PHP; mago takes a quarter of an hour to build, once
	@scripts/install mago
	cd clients && mago lint && mago analyze

test: install ## run all tests and micro-benchmarks, and each fuzz target for some seconds
	cargo test --workspace --locked
	$(MAKE) clients
	$(MICRO) --workspace --profile dev -- $(AS_JSON) >target/micro-test.json
	@# That it can be read: counts of this build mean nothing.
	$(DEBUG)/pushprom-bench --micro target/micro-test.json >/dev/null
	$(MAKE) fuzz FUZZ_SECONDS=10

clients: install ## test the clients in clients/ against the server
	cargo test --workspace --locked --no-run --quiet
	for package in $(PHP_PACKAGES); do \
	  PUSHPROM=$(DEBUG)/pushprom phpunit --configuration $$package || exit 1; \
	done

release: ## build the static binary bin/pushprom
	RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked -p pushprom --target $(TARGET)
	mkdir -p bin
	strip --strip-debug -o bin/pushprom target/$(TARGET)/release/pushprom

container: release ## build the container image from it
	scripts/build-image $(IMAGE)

bench: ## measure the budgets and write docs/benchmarks.md's tables
	@scripts/install valgrind gungraun-runner
	cargo build --release --locked -p pushprom -p pushprom-bench
	$(MICRO) -p pushprom-bench -- $(AS_JSON) >target/micro.json
	target/release/pushprom-bench --server target/release/pushprom --micro target/micro.json \
	  --page docs/benchmarks.md --json target/bench.json

bench-clients: install ## measure the client for PHP beside the old one's way
	cargo build --release --locked -p pushprom
	PUSHPROM=$(TARGET_DIR)/release/pushprom php clients/php/bench/run.php

fuzz: install ## fuzz each decoder, the registry, the negotiation, selectors and the store (FUZZ_SECONDS each)
	cd fuzz && cargo run --quiet --locked --target-dir $(TARGET_DIR) -p pushprom-fuzz-seed
	for target in json_fast json_exact intake negotiate registry selector storage; do \
	  cd $(CURDIR)/fuzz && cargo fuzz run --sanitizer none --release $$target -- \
	    -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -print_final_stats=1 -verbosity=0 || exit 1; \
	done

install: ## install what the tests need
	@scripts/install
