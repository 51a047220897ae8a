#!/usr/bin/env bash
# Installs PostgreSQL from the distribution, as root, for the tests of sessions on several nodes. No cluster of the
# system's is made or started: each test starts its own (postgres.go).
set -euo pipefail

if ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
  [ "$(id -u)" = 0 ] || { echo "install.sh: run as root to install: postgresql" >&2; exit 1; }
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  apt-get install -y -qq --no-install-recommends postgresql-common > /dev/null
  sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  apt-get install -y -qq --no-install-recommends postgresql > /dev/null
fi
echo "installed: $(ls -d /usr/lib/postgresql/*/bin)"
