#!/bin/sh
# Serves MTN's stand-in on a free port and takes payments through it with a
# published MTN client. Needs Go, Node and npm.
set -eu
cd "$(dirname "$0")"
npm install --silent --ignore-scripts --no-audit --no-fund
work=$(mktemp -d)
go build -o "$work/serve" ../serve
"$work/serve" -provider mtn -port 0 -target-environment sandbox >"$work/out" &
pid=$!
trap 'kill $pid; rm -rf "$work"' EXIT
until grep -q '^mtn at ' "$work/out"; do
  kill -0 $pid
  sleep 0.1
done
node pay.js "$(sed -n 's/^mtn at //p' "$work/out")"
