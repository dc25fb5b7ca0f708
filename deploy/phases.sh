# shellcheck shell=bash
# What the scripts of this folder share: the project's root, errors, phases with their seconds, the number of jobs.
# Sourced, never run.

# shellcheck disable=SC2034 # used by the scripts that source this one
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# stop MESSAGE [EXIT_CODE]: ends the script. Exit codes as those of the programs: 1 failed, 4 bad arguments.
stop() {
  printf '%s: %s\n' "$(basename "$0")" "$1" >&2
  exit "${2:-1}"
}

# phase NAME COMMAND...: runs a command and says how many seconds it took, or stops with the command's exit code.
phase() {
  local name=$1 begin=$SECONDS code=0
  shift
  printf '== %s\n' "$name"
  "$@" || code=$?
  if [ "$code" -ne 0 ]; then
    stop "$name: failed with exit code $code after $((SECONDS - begin)) s" "$code"
  fi
  printf '== %s: %d s\n' "$name" "$((SECONDS - begin))"
}

# The memory that may be used now, in MiB: what the machine has free, or what the container's limit leaves.
available_mib() {
  local available limit used
  if [ ! -r /proc/meminfo ]; then
    echo 1400 # unknown: enough for two compilers
    return
  fi
  available=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
  if limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null) && [ "$limit" != max ]; then
    used=$(cat /sys/fs/cgroup/memory.current)
    limit=$(((limit - used) / 1048576))
    if [ "$limit" -lt "$available" ]; then available=$limit; fi
  fi
  printf '%d\n' "$available"
}

# Compilers to run at once: one a core, and 700 MiB for each (a file that uses LibTorch needs 600).
job_count() {
  local jobs by_memory
  jobs=$(nproc)
  by_memory=$(($(available_mib) / 700))
  if [ "$by_memory" -lt "$jobs" ]; then jobs=$by_memory; fi
  if [ "$jobs" -lt 1 ]; then jobs=1; fi
  printf '%d\n' "$jobs"
}
