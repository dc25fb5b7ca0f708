#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests: first under the address and undefined-behaviour sanitizers
# (without LibTorch), last those of the release build, so that CTest's summary ends the output. Any failure: exit not 0.
set -euo pipefail
# shellcheck source=deploy/phases.sh
source "$(dirname "${BASH_SOURCE[0]}")/phases.sh"

usage() {
  cat <<'TEXT'
Usage: deploy/test.sh [--full]
  --full     also: the clang build, the thread sanitizer, the tests with the label long, and a minute of each fuzz target
TEXT
}

full=no
while [ $# -gt 0 ]; do
  case $1 in
    --full) full=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; stop "unknown argument '$1'" 4 ;;
  esac
  shift
done

jobs=$(job_count)
export CTEST_OUTPUT_ON_FAILURE=1
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS="halt_on_error=1:suppressions=$root/tests/support/thread_sanitizer.supp"

# run_tests PRESET LABELS: the tests of a built preset.
run_tests() {
  ctest --test-dir "$root/build/$1" --label-regex "$2" --parallel "$jobs" --no-tests=error
}

# The clang that the preset names, or the one that this release has.
clang_compiler() {
  command -v clang++-14 || command -v clang++ || stop "no clang++ found: run deploy/install.sh --full"
}

# Every target of the fuzz build for a minute, from its corpus. What it finds lies beside the program.
run_fuzz_targets() {
  local target name
  for target in "$root"/build/fuzz/bin/fuzz_*; do
    name=$(basename "$target")
    mkdir -p "$root/build/fuzz/corpus/$name"
    "$target" -max_total_time=60 -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
      -artifact_prefix="$root/build/fuzz/$name-" \
      "$root/build/fuzz/corpus/$name" "$root/tests/fuzz/corpus/${name#fuzz_}"
  done
}

labels='^quick$'
if [ "$full" = yes ]; then
  labels='^(quick|long)$'
  phase install "$root/deploy/install.sh" --full
  compiler=$(clang_compiler)
  phase "clang build" "$root/deploy/build.sh" --tests --preset clang -DCMAKE_CXX_COMPILER="$compiler"
  phase "tsan build" "$root/deploy/build.sh" --tests --preset tsan
  phase "tsan tests" run_tests tsan '^quick$'
  phase "fuzz configure" cmake -S "$root" --preset fuzz -DCMAKE_CXX_COMPILER="$compiler"
  phase "fuzz build" cmake --build "$root/build/fuzz" --parallel "$jobs" --target fuzz_targets
  phase "fuzz" run_fuzz_targets
else
  phase install "$root/deploy/install.sh" --tests
fi
# Whole programs and millions of trials under the sanitizers are for --full.
phase "asan build" "$root/deploy/build.sh" --tests --preset asan "-DSYNOD_WHOLE_PROGRAMS=$([ "$full" = yes ] && echo ON || echo OFF)"
phase "asan tests" run_tests asan '^quick$'
phase "release build" "$root/deploy/build.sh" --tests --preset release
if [ "$full" = yes ]; then
  echo "== not covered here: a fresh system (CONTRIBUTING.md says how to try one)"
fi
echo "== $SECONDS s so far; now the release tests"
run_tests release "$labels"
