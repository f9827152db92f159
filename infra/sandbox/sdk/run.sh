#!/bin/sh
# Serves the sandbox on a free port and takes payments through it with a
# published MTN client. Needs Go, Node and npm.
set -eu
cd "$(dirname "$0")"
npm install --silent --ignore-scripts --no-audit --no-fund
work=$(mktemp -d)
go build -o "$work/serve" ../serve
"$work/serve" -listen 127.0.0.1:0 >"$work/out" &
pid=$!
trap 'kill $pid; rm -rf "$work"' EXIT
until grep -q '^listening on ' "$work/out"; do
  kill -0 $pid
  sleep 0.1
done
node pay.js "$(sed -n 's/^listening on //p' "$work/out")"
