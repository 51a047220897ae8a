#!/usr/bin/env bash
# Stops the LedgerSMB and the PostgreSQL that start.sh started in DIR. The database stays until the next start.
#   stop.sh DIR
set -euo pipefail
dir=${1:?usage: stop.sh DIR}
end() { # PIDFILE WORD SIGNAL: a pid can have been given to another process since; only one that runs WORD is ours.
  local pid
  [ -s "$1" ] || return 0
  pid=$(head -1 "$1")
  if grep -qa "$2" "/proc/$pid/cmdline" 2>/dev/null; then
    kill "-$3" "$pid"
    tail --pid="$pid" -f /dev/null
  fi
  rm -f "$1"
}
end "$dir/run/starman.pid" starman QUIT
end "$dir/data/postmaster.pid" postgres INT
