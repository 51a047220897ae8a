#!/usr/bin/env bash
# Stops the Tryton server that start.sh started in DIR. Its database stays until the next start.
#   stop.sh DIR
set -euo pipefail
pidfile=${1:?usage: stop.sh DIR}/trytond.pid
[ -s "$pidfile" ] || exit 0
pid=$(cat "$pidfile")
# A pid can have been given to another process since: only one that runs trytond is ours.
if grep -qa trytond "/proc/$pid/cmdline" 2>/dev/null; then
  kill "$pid"
  tail --pid="$pid" -f /dev/null
fi
rm -f "$pidfile"
