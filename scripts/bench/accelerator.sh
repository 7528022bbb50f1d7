#!/usr/bin/env bash
# The accelerator workloads in gyrus, PyTorch and JAX, one after another on one device, as one table.
#
#   scripts/bench/accelerator.sh [DEVICE] [FILTER]
#
# DEVICE is what `gyrus doctor` lists: cuda, if not given; xla-cpu tries everything on the processor. PyTorch and JAX are
# timed where python3 has them (pip install torch "jax[cuda13]" optax). Needs target/release/xtask:
# cargo build --release -p xtask.
set -euo pipefail
cd "$(dirname "$0")/../.."
device=${1:-cuda} filter=${2:-A}
seconds=${SECONDS_EACH:-4}
export QUIET_WAIT=${QUIET_WAIT:-0}
case $device in
    xla-cpu) torch_device=cpu jax_platform=cpu ;;
    rocm) torch_device=cuda jax_platform=rocm ;;
    *) torch_device=$device jax_platform=$device ;;
esac
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
has() { python3 -c "import $1" 2>/dev/null; }

for precision in f32 tf32 bf16; do
    target/release/xtask bench "$filter" --device "$device" --precision $precision --seconds "$seconds" --json |
        tee -a "$results/gyrus.jsonl"
    if has torch; then
        for mode in eager compile; do
            python3 scripts/bench/torch_accelerator.py "$filter" --device $torch_device --mode $mode \
                --precision $precision --seconds "$seconds" | tee -a "$results/torch.jsonl" || true
        done
    fi
    if has jax && has optax; then
        JAX_PLATFORMS=$jax_platform python3 scripts/bench/jax_accelerator.py "$filter" \
            --precision $precision --seconds "$seconds" | tee -a "$results/jax.jsonl" || true
    fi
done
target/release/xtask bench-table "$results"/*.jsonl
