#!/usr/bin/env bash
# Checks everything for AArch64, and runs the tests of the CPU's kernels there under QEMU: the NEON kernels are compiled
# for no other architecture, so no test of an x86-64 machine reaches them.
#
#   scripts/check_aarch64.sh [FILTER...]
#
# FILTERs are names of tests, all if there are none (ten minutes of one core). Needs root, debootstrap and a mirror of
# Debian (MIRROR), whose sid has a new enough Rust with the standard library of AArch64. That goes into a folder of its
# own (CHROOT, 3 GB), which later runs use again.
set -euo pipefail
cd "$(dirname "$0")/.."
export CHROOT=${CHROOT:-/var/tmp/gyrus-aarch64}

if [ ! -e "$CHROOT/complete" ]; then
    debootstrap --variant=minbase sid "$CHROOT" ${MIRROR:+"$MIRROR"}
    # The signature is checked, the date is not: a mirror may be a snapshot.
    chroot "$CHROOT" env DEBIAN_FRONTEND=noninteractive bash -euc '
        dpkg --add-architecture arm64
        apt-get update -o Acquire::Check-Valid-Until=false
        apt-get install -y --no-install-recommends qemu-user \
            cargo rustc gcc libc6-dev libstd-rust-dev \
            gcc-aarch64-linux-gnu libc6-dev:arm64 libgcc-s1:arm64 libstd-rust-dev:arm64
    '
    touch "$CHROOT/complete"
fi

cargo fetch --locked
export REGISTRY=${CARGO_HOME:-$HOME/.cargo}/registry
# The mounts are this process's, and end with it.
exec unshare --mount bash -euc '
    mkdir -p "$CHROOT/gyrus" "$CHROOT/root/.cargo/registry"
    mount --bind . "$CHROOT/gyrus"
    mount --bind "$REGISTRY" "$CHROOT/root/.cargo/registry"
    mount --bind /proc "$CHROOT/proc"
    mount --rbind /dev "$CHROOT/dev"
    exec chroot "$CHROOT" env --unset=CARGO_HOME HOME=/root PATH=/usr/bin:/bin \
        CARGO_NET_OFFLINE=true CARGO_TARGET_DIR=/build CARGO_BUILD_TARGET=aarch64-unknown-linux-gnu \
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=qemu-aarch64 \
        bash -euc "
            cd /gyrus
            cargo check --workspace --all-targets --locked
            cargo test --package gyrus-cpu --locked -- \"\$@\"
        " bash "$@"
' bash "$@"
