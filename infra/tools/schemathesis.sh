#!/usr/bin/env bash
# Runs schemathesis over shared/httpapi/openapi.yaml against a local gateway
# of its own, which forgets everything. Arguments go to schemathesis.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
gateway=
trap '[ -z "$gateway" ] || { kill "$gateway" && wait "$gateway"; } 2>/dev/null || true; rm -rf "$dir"' EXIT

go build -o "$dir/local" ./infra/local
"$dir/local" -listen 127.0.0.1:0 -data :memory: >"$dir/out" 2>&1 &
gateway=$!
for _ in $(seq 100); do
  url=$(sed -n 's/^MoMo Proxy on \(http:[^ ]*\)$/\1/p' "$dir/out")
  [ -z "$url" ] || break
  kill -0 "$gateway" 2>/dev/null || break
  sleep 0.1
done
[ -n "$url" ] || { cat "$dir/out"; echo "schemathesis: the gateway did not come up"; exit 1; }

go run ./infra/standin/serve -orders >"$dir/orders.json"
env -C "$dir" SCHEMATHESIS_ORDERS="$dir/orders.json" SCHEMATHESIS_HOOKS="$OLDPWD/infra/tools/schemathesis_hooks.py" "$OLDPWD/.tools/schemathesis/bin/schemathesis" \
  --config-file "$OLDPWD/infra/tools/schemathesis.toml" \
  run "$OLDPWD/shared/httpapi/openapi.yaml" --url "$url" -H "X-Proxy-Api-Key: APP_CHANGE_THIS" \
  --request-timeout 30 --continue-on-failure "$@"
