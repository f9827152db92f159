#!/bin/sh
# Serves MTN's stand-in and takes payments through it with published MTN
# clients, unchanged. Fails when one of them can do something else than the
# table in ../README.md says. Needs Go, Node with npm, and Python with venv.
set -eu
cd "$(dirname "$0")"
root=$(cd ../../.. && pwd)
clients=$root/.tools/sdk
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill $pid; rm -rf "$work"' EXIT

# python PACKAGE==VERSION WHAT-IT-NEEDS...: an environment of its own for each,
# since their requirements exclude each other.
python() {
  name=${1%%=*}
  [ -e "$clients/$name/$1" ] && return
  python3 -m venv --clear "$clients/$name"
  "$clients/$name/bin/pip" install --quiet --disable-pip-version-check --no-input "$@"
  touch "$clients/$name/$1"
}
python mtnmomo-py==0.1.0
python momo-openapi==0.1.2
python momoapi==1.0.1
python mtnmomoapi==0.0.7 basicauth requests # which it does not declare
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$clients/node" mtn-momo@2.0.0

go build -o "$work/serve" ../serve
# serve PLATFORM FLAGS...: one platform of MTN's, on a free port.
serve() {
  platform=$1; shift
  [ -z "$pid" ] || kill $pid
  : >"$work/out"
  "$work/serve" -provider mtn -port 0 "$@" >"$work/out" &
  pid=$!
  until grep -q '^  MTN_TARGET_ENV=' "$work/out"; do
    kill -0 $pid
    sleep 0.1
  done
  base=$(sed -n 's/^mtn at //p' "$work/out")
}
pay() {
  echo "$1, $platform" >&2
  env $(grep '^  MTN_' "$work/out") timeout 120 "$clients/$1/bin/python" pay.py "$1" "$base" "$platform" >>"$work/rows" 2>"$work/log" || { cat "$work/log"; exit 1; }
  grep "^$1 on " "$work/log" >&2 || true
}

serve sandbox -target-environment sandbox
NODE_PATH="$clients/node/node_modules" node pay.js "$base" | tee "$work/node"
tail -1 "$work/node" >>"$work/rows"
for client in mtnmomo-py momo-openapi momoapi; do pay $client; done # the sandbox's address is fixed in mtnmomoapi
serve production -target-environment mtnswaziland
for client in mtnmomo-py momo-openapi momoapi mtnmomoapi; do pay $client; done
serve "new platform" -target-environment mtnswaziland -new-platform
for client in mtnmomo-py momo-openapi momoapi mtnmomoapi; do pay $client; done

cat "$work/rows"
while read -r row; do
  grep -qF "$row" ../README.md || { echo "sdks: ../README.md lacks this row: $row"; exit 1; }
done <"$work/rows"
echo "sdks: every client can do what the table says"
