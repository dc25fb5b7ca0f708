#!/usr/bin/env bash
# From a clone to synthetic records in one command: installs what is missing, builds the programs, and runs `synod demo`
# on the public data in configs/demo. Works from any folder; what is there already is not done again.
set -euo pipefail
# shellcheck source=deploy/phases.sh
source "$(dirname "${BASH_SOURCE[0]}")/phases.sh"

usage() {
  cat <<'TEXT'
Usage: deploy/demo.sh [--out DIR] [ARGUMENTS OF synod demo ...]
  --out DIR  where the results go (default: out/demo in the project)
  The other arguments go to `synod demo` as they are, for example --epsilon 1 --sites 3.
TEXT
}

# A path given by the user is meant from the folder where they stand, not from the project's.
out=$root/out/demo
arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    --out | --data | --schema)
      [ $# -ge 2 ] || stop "$1 needs a path" 4
      if [ "$1" = --out ]; then out=$(realpath -m -- "$2"); else arguments+=("$1" "$(realpath -m -- "$2")"); fi
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) arguments+=("$1") ;;
  esac
  shift
done

phase install "$root/deploy/install.sh"
phase build "$root/deploy/build.sh"
program=$root/build/release/bin/synod
[ -x "$program" ] || stop "the build made no $program (was it configured with SYNOD_WITH_TORCH=OFF?)"
cd "$root"
phase demo "$program" demo --out "$out" "${arguments[@]}"
echo "demo.sh: $SECONDS s in all; results in $out"
