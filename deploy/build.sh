#!/usr/bin/env bash
# Configures and builds with one of the presets of CMakePresets.json. Programs go to build/PRESET/bin.
set -euo pipefail
# shellcheck source=deploy/phases.sh
source "$(dirname "${BASH_SOURCE[0]}")/phases.sh"

usage() {
  cat <<'TEXT'
Usage: deploy/build.sh [--tests] [--preset NAME] [--jobs N] [-DNAME=VALUE ...]
  --tests    build the tests too
  --preset   dev, release (default), asan, tsan or clang
  --jobs     compilers at once (default: by cores and free memory)
TEXT
}

tests=OFF
preset=release
jobs=$(job_count)
definitions=()
while [ $# -gt 0 ]; do
  case $1 in
    --tests) tests=ON ;;
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --jobs) jobs=${2:?--jobs needs a number}; shift ;;
    -D*) definitions+=("$1") ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; stop "unknown argument '$1'" 4 ;;
  esac
  shift
done

for program in cmake ninja c++; do
  command -v "$program" >/dev/null || stop "$program is missing: run deploy/install.sh"
done

cd "$root"
phase "configure $preset" cmake --preset "$preset" -DSYNOD_BUILD_TESTS="$tests" "${definitions[@]}"
# %e: seconds since the build began.
export NINJA_STATUS='[%f/%t, %e s] '
phase "build $preset with $jobs jobs" cmake --build "build/$preset" --parallel "$jobs"
