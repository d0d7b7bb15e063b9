# Every check is one recipe; CI calls the same commands.

fmt:
    cargo fmt --all -- --check

lint:
    cargo clippy --workspace --all-targets -- -D warnings

test:
    cargo test --workspace

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

demo:
    cargo run --release -- demo

deny:
    cargo deny check

wasm:
    bash .ci/wasm

aarch64:
    bash .ci/aarch64

ci:
    bash .ci/run

pre-push: fmt lint test doc
