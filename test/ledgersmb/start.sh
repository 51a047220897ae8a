#!/usr/bin/env bash
# Starts LedgerSMB on loopback with a PostgreSQL of its own, on a fresh copy of the seeded company, and prints one line
# when it answers.
#   start.sh DIR [PORT]     PORT 0 or left out: a free one
#   start.sh --build        only builds the seeded company
# DIR gets data (the database), facts.json (see seed.py), logs and what stop.sh needs; nothing outside of it changes.
# The seeded company is built once into test/ledgersmb/run (or $LEDGERSMB_GOLDEN); a change of seed.py or of the
# installed package builds it anew. LedgerSMB and PostgreSQL refuse to run as root: there they run as their packages'
# users.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
golden=${LEDGERSMB_GOLDEN:-$here/run}
export LC_ALL=C.UTF-8 TZ=Europe/Berlin
# /usr/bin/python3 is Debian's; the first in PATH may be another.
python=/usr/bin/python3
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)

as() { # USER COMMAND...
  local user=$1
  shift
  if [ "$(id -u)" = 0 ]; then setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups "$@"; else "$@"; fi
}
free() { "$python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
sql() { psql -q -v ON_ERROR_STOP=1 -h "$dir/data" -p "$dbport" -U postgres -At "$@"; }

# serve PORT: starts both servers on what is in $dir.
serve() {
  port=$1
  [ "$port" != 0 ] || port=$(free)
  dbport=$(free)
  url=http://127.0.0.1:$port
  rm -rf "$dir/run"
  mkdir -p "$dir/run"
  if [ "$(id -u)" = 0 ]; then
    chmod 755 "$dir"
    chown -R postgres "$dir/data"
    chown ledgersmb "$dir/run"
  fi
  [ -e "$dir/data/PG_VERSION" ] ||
    as postgres "$bin/initdb" -D "$dir/data" -U postgres -A trust --locale=C.UTF-8 -E UTF8 --no-sync > /dev/null
  printf 'local all all trust\nhost all all 127.0.0.1/32 md5\n' > "$dir/data/pg_hba.conf"
  as postgres "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/log" -w -t 120 -o "-p $dbport -k $dir/data -c listen_addresses=127.0.0.1 \
    -c password_encryption=md5 -c fsync=off -c synchronous_commit=off -c full_page_writes=off" start > /dev/null 9>&-
  sed -e "s/^port = 5432/port = $dbport/" -e 's/^host = localhost/host = 127.0.0.1/' -e 's/^sslmode = .*/sslmode = disable/' \
    /etc/ledgersmb/ledgersmb.conf > "$dir/run/ledgersmb.conf"
  # -MTemplate: Debian's package forgets to load that module.
  (
    cd /usr/share/ledgersmb
    LSMB_CONFIG_FILE=$dir/run/ledgersmb.conf PERL5OPT=-MTemplate as ledgersmb setsid /usr/bin/starman --pid "$dir/run/starman.pid" \
      --listen "127.0.0.1:$port" --workers 2 -I lib -I old/lib bin/ledgersmb-server.psgi
  ) > "$dir/starman.log" 2>&1 < /dev/null 9>&- &
  for _ in $(seq 900); do
    ! curl -fs -m 5 -o /dev/null "$url/login.pl" || return 0
    sleep .1
  done
  echo "start.sh: LedgerSMB doesn't answer on port $port; its log ends:" >&2
  tail -20 "$dir/starman.log" >&2
  return 1
}

build() {
  local key
  key=$({ cat "$here/seed.py" "$here/start.sh"; dpkg-query -W ledgersmb 'postgresql-[0-9]*'; } | sha256sum | cut -c1-16)
  seeded=$golden/seeded-$key.tar
  mkdir -p "$golden"
  exec 9> "$golden/lock"
  flock 9
  if [ ! -s "$seeded" ]; then
    # In memory, because a new database writes hundreds of files.
    dir=$(mktemp -d "$( [ -w /dev/shm ] && echo /dev/shm || echo "$golden" )/ledgersmb.XXXXXX")
    mkdir "$dir/data"
    trap '"$here/stop.sh" "$dir"; rm -rf "$dir"' EXIT
    serve 0
    sql -c "CREATE ROLE lsmb_dbadmin SUPERUSER LOGIN NOINHERIT PASSWORD 'Einrichtung-2024'"
    "$python" -W ignore "$here/seed.py" "$url" "$dir/facts.json" > "$golden/build.log" 2>&1 || { tail -20 "$golden/build.log" >&2; exit 1; }
    # New users have a password for one day, and are warned of it on every page.
    sql -d kontor -c "ALTER ROLE hanna VALID UNTIL 'infinity'" -c "ALTER ROLE otto VALID UNTIL 'infinity'"
    "$here/stop.sh" "$dir"
    rm -f "$golden"/seeded-*
    tar -C "$dir" -cf "$seeded.tmp" data facts.json
    mv "$seeded.tmp" "$seeded"
    rm -rf "$dir"
    trap - EXIT
  fi
  exec 9>&-
}

build
[ "${1:?usage: start.sh DIR [PORT]}" = --build ] && { echo "seeded company: $seeded"; exit 0; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
"$here/stop.sh" "$dir"
rm -rf "$dir/data"
tar -C "$dir" -xf "$seeded"
serve "${2:-0}"
echo "ledgersmb ready: $url/ database $dir/data port $dbport facts $dir/facts.json"
