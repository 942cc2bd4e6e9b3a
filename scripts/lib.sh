# shellcheck shell=bash
# Shared by the scripts beside it: where things are, and steps that are quiet until they fail.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Debian's own interpreter: the Python packages come from apt.
python=/usr/bin/python3
export repo python

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# step WHAT COMMAND...: runs the command with its output in a log, shows the elapsed time, and the end of the log when it
# fails. On a terminal the time counts while the command runs.
step() {
  local what=$1 log start pid status=0
  shift
  log=$(mktemp "${TMPDIR:-/tmp}/warmswap-step.XXXXXX")
  start=$SECONDS
  # A process group of its own: otherwise bash lets commands in the background ignore interrupts.
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  set +m
  # Hand an interrupt on and wait, so that the command may clean up after itself.
  trap 'echo; kill -INT -- "-$pid" 2>/dev/null; wait "$pid"; rm -f "$log"; exit 130' INT TERM
  printf '  %-58s ' "$what"
  if [ -t 1 ]; then
    while kill -0 "$pid" 2>/dev/null; do
      printf '\r  %-58s %4ds' "$what" $((SECONDS - start))
      sleep 0.2
    done
    printf '\r  %-58s ' "$what"
  fi
  wait "$pid" || status=$?
  trap - INT TERM
  if [ $status -eq 0 ]; then
    printf '%4ds  ok\n' $((SECONDS - start))
    rm -f "$log"
  else
    printf '%4ds  FAILED\n' $((SECONDS - start))
    tail -n "${step_log_lines:-30}" "$log" | sed 's/^/    | /'
    echo "    | (all of it: $log)"
  fi
  return $status
}

# configure DIR MESON-OPTION...: sets up a build folder once; later calls leave it alone.
configure() {
  local dir=$1
  shift
  [ -f "$dir/build.ninja" ] || meson setup "$dir" "$repo" "$@"
}

# build_release [TARGET...]: everything, or only the targets.
build_release() {
  configure "$repo/build" --buildtype=release && ninja -C "$repo/build" "$@"
}
