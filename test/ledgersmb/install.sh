#!/usr/bin/env bash
# Installs LedgerSMB and PostgreSQL of Debian 12, as root, for the tests against LedgerSMB, and builds the company that
# they work in. No server of the system's is made or started: start.sh runs both from a folder of its own. Doing
# nothing takes about a second.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

status() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true; }

if [ "$(status ledgersmb)" != installed ]; then
  [ "$(id -u)" = 0 ] || { echo "install.sh: run as root to install: ledgersmb" >&2; exit 1; }
  export DEBIAN_FRONTEND=noninteractive
  bash "$here/../postgres/install.sh" > /dev/null
  work=$(mktemp -d)
  chmod 755 "$work"
  bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
  postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
  lent= forbids=
  clean() {
    [ -z "$lent" ] || postgres "$bin/pg_ctl" -D "$work/data" -m immediate stop > /dev/null || true
    [ -z "$forbids" ] || rm -f /usr/sbin/policy-rc.d
    rm -rf "$work"
  }
  trap clean EXIT
  # The package would start a service of its own; policy-rc.d forbids that while we install.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    forbids=1
  fi
  # Its configuration makes a role in the server at the default socket, and fails where there is none: one is lent,
  # without a port, until it is done.
  if [ ! -e /var/run/postgresql/.s.PGSQL.5432 ]; then
    install -d -o postgres -g postgres "$work/data"
    install -d -o postgres -g postgres -m 2775 /var/run/postgresql
    postgres "$bin/initdb" -D "$work/data" -A trust --no-sync > /dev/null
    postgres "$bin/pg_ctl" -D "$work/data" -l "$work/data/log" -w \
      -o "-k /var/run/postgresql -p 5432 -c listen_addresses= -c fsync=off" start > /dev/null
    lent=1
  fi
  apt-get -qq update
  apt-get install -y -qq --no-install-recommends ledgersmb curl python3 > "$work/apt.log" 2>&1 ||
    { tail -20 "$work/apt.log" >&2; exit 1; }
fi
"$here/start.sh" --build > /dev/null
echo "installed: ledgersmb $(dpkg-query -W -f '${Version}' ledgersmb)"
