#!/bin/sh
# A C compiler for linux/$TARGETARCH on linux/$BUILDARCH, where install.sh needs one.
set -eu

case "$BUILDARCH-$TARGETARCH" in
amd64-arm64) packages="gcc-aarch64-linux-gnu libc6-dev-arm64-cross" ;;
arm64-arm64) packages="gcc libc6-dev" ;;
*-amd64) exit 0 ;;
*)
    echo "error: no image is made for $TARGETARCH on $BUILDARCH: amd64 and arm64 are known" >&2
    exit 1
    ;;
esac
apt-get update
# Word by word: they are several packages.
# shellcheck disable=SC2086
apt-get install --yes --no-install-recommends $packages
rm -rf /var/lib/apt/lists/*
