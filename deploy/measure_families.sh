#!/bin/bash
# Measures families on a table and prints the lines of models/recommendation/measured_results.csv.
#
#   deploy/measure_families.sh NAME DATA_FOLDER RUN.toml...
#
# DATA_FOLDER holds train.csv, test.csv and schema.toml. Every run file is simulated with every epsilon of EPSILONS and
# every seed of SEEDS; its delta should be 1 / rows^1.1. As many rows as it was trained on are drawn and compared with
# the real ones. Keeps the rows in KEEP, where it is set: KEEP/RUN-EPSILON-SEED/rows.csv.
set -euo pipefail
if [ $# -lt 3 ]; then
  sed -n '2,9p' "$0" | sed 's/^# \{0,1\}//'
  exit 4
fi
here="$(cd "$(dirname "$0")/.." && pwd)"
synod="${SYNOD:-$here/build/release/bin/synod}"
epsilons="${EPSILONS:-1}"
seeds="${SEEDS:-0 1 2}"
threads="${THREADS:-0}"
name="$1"
data="$2"
shift 2
work="${KEEP:-$(mktemp -d)}"
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT

rows=$(($(wc -l < "$data/train.csv") - 1))

# The number behind a key of a flat part of JSON.
number() { sed -n "s/.*\"$1\":\([-0-9.e+]*\).*/\1/p" | head -1; }
# The first number of the line of the evaluation that begins with these words.
measure() { grep -F "$1" "$2" | sed 's/([^)]*)//g' | grep -o '[0-9][0-9.]*' | head -1; }

for run in "$@"; do
  for epsilon in $epsilons; do
    for seed in $seeds; do
      out="$work/$(basename "$run" .toml)-$epsilon-$seed"
      mkdir -p "$out"
      "$synod" simulate "$run" --data "$data" --out "$out" --epsilon "$epsilon" --seed "$seed" --threads "$threads" \
        > "$out/simulate.txt" 2>&1 || { cat "$out/simulate.txt" >&2; exit 1; }
      begin=$(date +%s.%N)
      "$synod" sample "$out/generator.synod" -n "$rows" --seed 1 -o "$out/rows.csv" > "$out/sample.txt" 2>&1
      end=$(date +%s.%N)
      "$synod" evaluate --real "$data/train.csv" --test "$data/test.csv" --synthetic "$out/rows.csv" \
        --schema "$data/schema.toml" > "$out/evaluation.txt" 2>&1
      summary="$out/summary.json"
      family=$(sed -n 's/.*"model_family":"\([a-z_]*\)".*/\1/p' "$summary")
      variant=$(sed -n 's/.*"variant":"\([a-z_]*\)".*/\1/p' "$summary")
      echo "$name,$rows,$(number modelled_columns < "$summary"),$(number numeric_columns < "$summary"),$family,$variant,$epsilon,$seed,\
$(measure 'distance of columns' "$out/evaluation.txt"),$(measure 'distance of pairs' "$out/evaluation.txt"),\
$(measure 'train on it' "$out/evaluation.txt"),$(measure 'told from real' "$out/evaluation.txt"),\
$(number seconds < "$summary" | awk '{ printf "%.0f", $1 }'),$(awk "BEGIN { printf \"%.0f\", $rows / ($end - $begin) }"),\
$(number peak_mebibytes < "$summary" | awk '{ printf "%.0f", $1 }')"
    done
  done
done
