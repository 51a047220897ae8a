#!/usr/bin/env bash
# Installs what the Tryton end-to-end tests need on Debian 12, as root: Tryton with its web client and
# CRM modules, Chromium, and the npm packages of test/browser and test/provider as their lock files say.
# Doing nothing takes about a second. Nothing is downloaded from anywhere but the apt and npm registries.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tests=$(dirname "$here")

packages=(
  tryton-server tryton-sao
  tryton-modules-party tryton-modules-party-relationship tryton-modules-party-avatar
  tryton-modules-bank tryton-modules-company tryton-modules-country tryton-modules-currency
  tryton-modules-sale-opportunity tryton-modules-marketing tryton-modules-marketing-email
  tryton-modules-web-user tryton-modules-web-shortener
  # without these: no phone and tax id checks, no avatars, no time zone, slow password hashes
  python3-stdnum python3-phonenumbers python3-passlib python3-argon2 python3-tz python3-pil python3-levenshtein
  chromium fonts-dejavu-core curl
)

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
command -v npm >/dev/null || missing+=(nodejs npm)
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || { echo "install.sh: run as root to install: ${missing[*]}" >&2; exit 1; }
  export DEBIAN_FRONTEND=noninteractive
  # The server package would start a service of its own; policy-rc.d forbids that while we install.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  apt-get -qq update
  apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi

node -e 'process.exit(typeof URL.parse === "function" ? 0 : 1)' ||
  { echo "install.sh: Node $(node --version) is too old: install Node 20.19 or newer" >&2; exit 1; }

for folder in browser provider; do
  lock=$tests/$folder/package-lock.json done=$tests/$folder/node_modules/.installed-from
  cmp -s "$lock" "$done" && continue
  (cd "$tests/$folder" && npm ci --no-audit --no-fund --silent)
  cp "$lock" "$done"
done
echo "installed: tryton-server $(dpkg-query -W -f '${Version}' tryton-server), chromium $(dpkg-query -W -f '${Version}' chromium), node $(node --version)"
