run:
	cargo run --release --locked
lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
test:
	cargo test --workspace --locked
