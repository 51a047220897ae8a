#!/usr/bin/env bash
# Starts Tryton with its web client on loopback, on a fresh copy of the seeded database, and prints
# one line when it answers.
#   start.sh DIR [PORT]     PORT 0 or left out: a free one
#   start.sh --build        only builds the seeded database
# DIR gets db/crm.sqlite, facts.json (see seed.py), trytond.conf, trytond.log, trytond.pid. The seeded database is
# built once into test/tryton/run (or $TRYTON_GOLDEN) and copied at every start; a change of seed.py
# or of the installed packages builds it anew. TRYTON_VERBOSE=1 logs every call.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
golden=${TRYTON_GOLDEN:-$here/run}
modules=(ir res party party_relationship party_avatar bank company country currency
  sale_opportunity marketing marketing_email web_user)
export LC_ALL=C.UTF-8 PYTHONWARNINGS=ignore TZ=Europe/Berlin
# /usr/bin/python3 is Debian's, which has trytond; the first in PATH may be another.
python=/usr/bin/python3

# Attachments are kept in the database, so that one file is all there is to copy.
config() { # FILE PORT DBDIR
  cat > "$1" <<C
[web]
listen = 127.0.0.1:$2
root = /usr/share/tryton-sao/www
[database]
uri = sqlite://
path = $3
language = en
[attachment]
filestore = False
[session]
timeout = 86400
max_attempt = 1000
C
}

build() {
  local key name work
  key=$({ cat "$here/seed.py" "$here/start.sh"; dpkg-query -W 'tryton-*'; } | sha256sum | cut -c1-16)
  name=$golden/seeded-$key
  mkdir -p "$golden"
  exec 9> "$golden/lock"
  flock 9
  if [ ! -s "$name.sqlite" ]; then
    # In memory, because the many small commits of the module set-up wait for the disk otherwise.
    work=$(mktemp -d "$( [ -w /dev/shm ] && echo /dev/shm || echo "$golden" )/tryton.XXXXXX")
    config "$work/trytond.conf" 0 "$work"
    : > "$work/crm.sqlite" # trytond wants the file to exist
    echo 'Admin-2024-loopback' > "$work/password"
    if ! { TRYTONPASSFILE=$work/password /usr/bin/trytond-admin -c "$work/trytond.conf" -d crm -l de \
             --email admin@rheinkontor.example --activate-dependencies -u "${modules[@]}" &&
           "$python" -W ignore "$here/seed.py" "$work/trytond.conf" crm "$work/facts.json"; } \
         > "$golden/build.log" 2>&1 < /dev/null 9>&-; then
      tail -20 "$golden/build.log" >&2
      rm -rf "$work"
      exit 1
    fi
    rm -f "$golden"/seeded-*
    cp "$work/facts.json" "$name.json"
    cp "$work/crm.sqlite" "$name.tmp"
    mv "$name.tmp" "$name.sqlite"
    rm -rf "$work"
  fi
  exec 9>&-
  seeded=$name
}

answers() {
  curl -fsS -m 3 -o /dev/null -H 'Content-Type: application/json' \
    -d '{"id":0,"method":"common.db.list","params":[]}' "http://127.0.0.1:$port/" 2>/dev/null
}

build
[ "${1:?usage: start.sh DIR [PORT]}" = --build ] && { echo "seeded database: $seeded.sqlite"; exit 0; }
mkdir -p "$1/db"
dir=$(cd "$1" && pwd)
"$here/stop.sh" "$dir"
port=${2:-0}
[ "$port" != 0 ] || port=$("$python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
config "$dir/trytond.conf" "$port" "$dir/db"
rm -f "$dir"/db/*
cp "$seeded.sqlite" "$dir/db/crm.sqlite"
cp "$seeded.json" "$dir/facts.json"
setsid "$python" -W ignore /usr/bin/trytond -c "$dir/trytond.conf" -d crm ${TRYTON_VERBOSE:+-v} \
  > "$dir/trytond.log" 2>&1 < /dev/null &
pid=$!
echo "$pid" > "$dir/trytond.pid"
for _ in $(seq 600); do
  answers && { echo "tryton ready: http://127.0.0.1:$port/ database crm pid $pid facts $dir/facts.json"; exit 0; }
  kill -0 "$pid" 2>/dev/null || break
  sleep .1
done
echo "start.sh: Tryton doesn't answer on port $port; its log ends:" >&2
tail -20 "$dir/trytond.log" >&2
exit 1
