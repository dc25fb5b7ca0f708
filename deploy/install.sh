#!/usr/bin/env bash
# Installs what deploy/packages.txt names and this machine lacks (Debian 12 and 13). Root is needed only if something is
# missing. Running it again does nothing.
set -euo pipefail
# shellcheck source=deploy/phases.sh
source "$(dirname "${BASH_SOURCE[0]}")/phases.sh"

usage() {
  cat <<'TEXT'
Usage: deploy/install.sh [--tests] [--full] [--dry-run]
  --tests    also the packages that the tests need
  --full     also those that deploy/test.sh --full needs
  --dry-run  print what is missing, install nothing
TEXT
}

asked=("$@")
sections=(build)
dry_run=no
while [ $# -gt 0 ]; do
  case $1 in
    --tests) sections+=(test) ;;
    --full) sections+=(test full) ;;
    --dry-run) dry_run=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; stop "unknown argument '$1'" 4 ;;
  esac
  shift
done

# The lines of the wanted sections of packages.txt.
wanted_lines() {
  awk -v wanted=" ${sections[*]} " '
    $1 == "#" && $2 == "section" { take = index(wanted, " " $3 " ") > 0; next }
    /^#/ || NF == 0 { next }
    take { print }' "$root/deploy/packages.txt"
}

is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# The names in a line `a | b`, one a line.
alternatives() {
  tr '|' '\n' <<<"$1" | tr -d ' '
}

line_is_satisfied() {
  local name
  for name in $(alternatives "$1"); do
    if is_installed "$name"; then return 0; fi
  done
  return 1
}

# The first name in the line that the package lists offer; fails where they offer none.
offered_name() {
  local name
  for name in $(alternatives "$1"); do
    if [ -n "$(apt-cache show --no-all-versions "$name" 2>/dev/null)" ]; then
      printf '%s\n' "$name"
      return 0
    fi
  done
  return 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  stop "this script knows Debian 12 and 13 only. Elsewhere, install what deploy/packages.txt names, then run deploy/build.sh."
fi

missing=()
while IFS= read -r line; do
  if ! line_is_satisfied "$line"; then missing+=("$line"); fi
done <<<"$(wanted_lines)" # not <(...): that needs /proc, which a bare chroot lacks

if [ ${#missing[@]} -eq 0 ]; then
  echo "install: nothing is missing"
  exit 0
fi
printf 'install: missing:'
printf ' %s' "${missing[@]}"
printf '\n'
if [ "$dry_run" = yes ]; then exit 0; fi
if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
  stop "these packages need root to install, and there is no sudo. As root, once: deploy/install.sh ${asked[*]}"
fi

apt_get update || stop "apt-get update failed: see above (no network, or no rights)"
chosen=()
for line in "${missing[@]}"; do
  name=$(offered_name "$line") || stop "no package list of this machine offers '$line' (Debian 12 or 13, section main, is needed)"
  chosen+=("$name")
done
echo "install: installing ${chosen[*]}"
apt_get install --yes --no-install-recommends "${chosen[@]}" || stop "apt-get install failed: see above"
echo "install: done"
