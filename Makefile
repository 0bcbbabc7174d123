# Every test, and what the tests need. Plain `cargo test` needs only Rust.
.PHONY: test lint docs bench deny

# Nothing below may fetch a toolchain behind your back.
export RUSTUP_DIST_SERVER ?= http://127.0.0.1:9
export RUSTUP_UPDATE_ROOT ?= http://127.0.0.1:9
export RUSTUP_AUTO_INSTALL ?= 0

test:
	cargo test --locked --workspace --exclude queuewatch-bench

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
