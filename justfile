# One line each over `cargo xtask`; `just` lists them.

default:
    @just --list

# Everything that must pass before a change lands
test:
    cargo xtask test

# The quick half: unit tests of one crate, for example `just unit store`
unit CRATE:
    cargo nextest run --package osier-{{CRATE}}

# Our program against the C tool, byte for byte
interop *ARGS:
    cargo build --package osier-cli --package osier-fuse && cargo nextest run --package osier-conformance {{ARGS}}

# The C project's installed scripts with our program first in PATH
conformance *ARGS:
    cargo xtask conformance {{ARGS}}

# Layers, unsafe code, file sizes, licences
check:
    cargo fmt --all --check && cargo clippy --workspace --all-targets -- -D warnings && cargo xtask check

# The whole path on a real tree, told step by step
demo *ARGS:
    cargo xtask demo {{ARGS}}

# Time and memory beside the C tool's
bench *ARGS:
    cargo xtask bench {{ARGS}}
