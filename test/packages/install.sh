#!/usr/bin/env bash
# Installs rpm, to look at what dpkg doesn't read. Doing nothing takes no time.
set -euo pipefail
command -v rpm >/dev/null && exit 0
[ "$(id -u)" = 0 ] || { echo "install.sh: run as root to install: rpm" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
apt-get install -y -q --no-install-recommends rpm >/dev/null || { apt-get update -q >/dev/null; apt-get install -y -q --no-install-recommends rpm >/dev/null; }
