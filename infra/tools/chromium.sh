#!/usr/bin/env bash
# Prints the path of a Chromium to test the console with: $CHROMIUM, one that
# is installed, or Debian's, which it installs when it may. There is no pinned
# version: the console has to work in the browser that people have.
set -euo pipefail
for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
  if [[ -n $name ]] && command -v "$name"; then exit 0; fi
done
if [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; then
  { apt-get update && apt-get install --yes --no-install-recommends chromium; } >&2
  command -v chromium && exit 0
fi
echo "console-test: no Chromium: install one (Debian: apt-get install chromium) or set CHROMIUM to its path" >&2
exit 1
