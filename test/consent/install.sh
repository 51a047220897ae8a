#!/usr/bin/env bash
# Installs the mail server that the tests send to, as root: aiosmtpd, in Python. Doing nothing takes a moment.
set -euo pipefail

missing=()
for package in python3 python3-aiosmtpd; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || { echo "install.sh: run as root to install: ${missing[*]}" >&2; exit 1; }
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi
echo "installed: python3-aiosmtpd $(dpkg-query -W -f '${Version}' python3-aiosmtpd)"
