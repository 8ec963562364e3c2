#!/bin/sh
# Makes the machine ready for the lab, the tests and the build of the plugin, and says what it does. Run on a Debian
# machine, as root, with no more than Node and npm there: TypeScript cannot be run before this.
set -eu
cd "$(dirname "$0")/.."

# debootstrap, iproute2, iptables, nftables, procps, util-linux: hosts as namespaces. busybox-static, netcat-openbsd: the
# containers' image. binutils, xz-utils: the plugin, here for arm64 too. conntrack, iputils-ping: the tests. libc-bin has
# ldd. strace: the benchmarks. etcd, openssl: the store of several hosts, and its certificates.
packages='binutils binutils-aarch64-linux-gnu busybox-static conntrack debootstrap etcd-client etcd-server iproute2 ipset
  iptables iputils-ping libc-bin netcat-openbsd nftables openssl procps strace tar util-linux xz-utils'

if [ "$(id -u)" -ne 0 ]; then
  echo 'Cannot prepare the lab: network namespaces, mounts and packages need root. Run it again as root.' >&2
  exit 1
fi

missing=
for package in $packages; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
  echo "Installing Debian packages:$missing"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086
  output=$(apt-get update 2>&1 && apt-get install --yes --no-install-recommends $missing 2>&1) || {
    echo "$output" >&2
    exit 1
  }
fi

# npm writes this file at the end of each installation.
installed=node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ package-lock.json -nt "$installed" ]; then
  echo 'Installing npm packages'
  # Not `npm ci`: that fails where a registry lacks the build of a tool for some other platform. The versions and
  # checksums are those of the lock file all the same, and --no-save leaves that as it is.
  output=$(npm install --no-save 2>&1) || {
    echo "$output" >&2
    exit 1
  }
fi
