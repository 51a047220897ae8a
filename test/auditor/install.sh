#!/usr/bin/env bash
# Installs what an auditor verifies an export with, as root: Python and openssl. Tessera's fsck is a module of its own
# (fsck/), which the test builds.
set -euo pipefail

missing=()
for tool in python3 openssl; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || { echo "install.sh: run as root to install: ${missing[*]}" >&2; exit 1; }
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi
echo "installed: $(python3 --version), $(openssl version)"
