#!/usr/bin/env bash
# Makes a client of shared/httpapi/openapi.yaml with each generator, compiles
# it, and pays with it at a local system of its own, which forgets everything.
# Names of clients as arguments: only those. Needs Go, Python, Node with npm,
# Java with Maven, and PHP with Guzzle, which it installs as root on Debian.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD document=$PWD/shared/httpapi/openapi.yaml
all=(php java python python-httpx typescript go)
chosen=("$@")
[ $# -gt 0 ] || chosen=("${all[@]}")
# What each client prints: the ending, the amount as number and as text, and
# the codes of a 401, a 404, a 409 and a 422 with the field at fault.
expected="SUCCESSFUL 1234567.89 1234567.89 unauthorized not_found duplicate_external_id validation_failed amount"

generator=org.openapitools:openapi-generator-cli:7.14.0
jar=.tools/clients/openapi-generator-cli-7.14.0.jar
node=.tools/clients-node
out=.tools/clients/out
rm -rf "$out"
mkdir -p "$out"

if [ ! -e "$node/.installed" ] || [ infra/tools/clients/package.json -nt "$node/.installed" ]; then
  mkdir -p "$node"
  cp infra/tools/clients/package.json "$node/"
  npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$node"
  touch "$node/.installed"
fi
"$node/node_modules/.bin/spectral" lint --quiet --fail-severity hint --ruleset infra/tools/clients/spectral.yaml "$document"
REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true "$node/node_modules/.bin/redocly" lint --config infra/tools/clients/redocly.yaml --format stylish "$document" >"$out/redocly" 2>&1 ||
  { cat "$out/redocly"; exit 1; }
if grep -q warning "$out/redocly"; then cat "$out/redocly"; exit 1; fi
echo "spectral and redocly: clean"

# openapi_generator LANGUAGE PROPERTIES
openapi_generator() {
  [ -e "$jar" ] || mvn --quiet --batch-mode dependency:copy -Dartifact=$generator -DoutputDirectory="$PWD/.tools/clients" -Dmdep.useBaseVersion=true
  java -jar "$jar" generate -g "$1" -i "$document" -o "$out/$1" --additional-properties="$2" >"$out/$1.log" 2>&1 ||
    { cat "$out/$1.log"; return 1; }
}

make_php() {
  if ! php -r 'require "GuzzleHttp/autoload.php";' 2>/dev/null; then
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
      { echo "clients: the PHP client needs PHP 8 with curl and mbstring, and Guzzle 7 on its include path (Debian: apt-get install php-cli php-curl php-mbstring php-guzzlehttp-guzzle)"; return 1; }
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends php-cli php-curl php-mbstring php-guzzlehttp-guzzle
  fi >"$out/apt.log" 2>&1
  openapi_generator php invokerPackage=MomoProxy
  find "$out/php/lib" -name '*.php' -print0 | xargs -0 -n1 php -l >"$out/php.compiled"
}
pay_php() { php infra/clients/pay.php "$1" "$out/php/lib"; }

make_java() {
  openapi_generator java library=native,apiPackage=momoproxy.api,modelPackage=momoproxy.model,invokerPackage=momoproxy
  cp infra/clients/Pay.java "$out/java/src/main/java/"
  mvn --quiet --batch-mode -f "$out/java/pom.xml" -Dmaven.test.skip=true compile dependency:build-classpath -Dmdep.outputFile="$root/$out/java.classpath"
}
pay_java() { java -cp "$out/java/target/classes:$(cat "$out/java.classpath")" Pay "$1"; }

make_python() {
  openapi_generator python packageName=momoproxy
  .tools/clients-python/bin/python -m compileall -q "$out/python/momoproxy"
}
pay_python() { PYTHONPATH=$out/python .tools/clients-python/bin/python infra/clients/pay.py "$1"; }

make_python-httpx() {
  printf 'package_name_override: momoproxy\npost_hooks: []\n' >"$out/httpx.yaml"
  .tools/clients-python/bin/openapi-python-client generate --fail-on-warning --config "$out/httpx.yaml" --path "$document" --output-path "$out/httpx"
  .tools/clients-python/bin/python -m compileall -q "$out/httpx/momoproxy"
}
pay_python-httpx() { PYTHONPATH=$out/httpx .tools/clients-python/bin/python infra/clients/pay_httpx.py "$1"; }

make_typescript() {
  mkdir "$out/typescript"
  cp infra/clients/pay.ts "$out/typescript/"
  echo '{"type": "module"}' >"$out/typescript/package.json"
  ln -s "$root/$node/node_modules" "$out/typescript/node_modules"
  "$node/node_modules/.bin/openapi-typescript" "$document" -o "$out/typescript/api.ts"
  echo '{"compilerOptions": {"strict": true, "target": "es2022", "module": "nodenext", "types": ["node"]}}' >"$out/typescript/tsconfig.json"
  "$node/node_modules/.bin/tsc" --project "$out/typescript"
}
pay_typescript() { node "$out/typescript/pay.js" "$1"; }

make_go() {
  cp -r infra/clients/go "$out/go"
  mkdir "$out/go/api"
  GOFLAGS= go tool -modfile=infra/tools/go.mod oapi-codegen -generate types,client -package api -o "$out/go/api/api.go" "$document"
  (cd "$out/go" && GOFLAGS=-mod=readonly go vet ./... && GOFLAGS=-mod=readonly go build -o pay .)
}
pay_go() { "$out/go/pay" "$1"; }

go build -o "$out/local" ./infra/local
"$out/local" -listen 127.0.0.1:0 -data :memory: >"$out/local.log" 2>&1 &
local=$!
trap 'kill $local 2>/dev/null && wait $local 2>/dev/null || true' EXIT
for _ in $(seq 100); do
  url=$(sed -n 's/^MoMo Proxy on \(http:[^ ]*\)$/\1/p' "$out/local.log")
  [ -z "$url" ] || break
  kill -0 $local 2>/dev/null || break
  sleep 0.1
done
[ -n "$url" ] || { cat "$out/local.log"; echo "clients: the local system did not come up"; exit 1; }
curl -sf "$url/openapi.json" | cmp - shared/httpapi/openapi.json

for client in "${chosen[@]}"; do
  "make_$client"
  got=$("pay_$client" "$url" | tail -1)
  [ "$got" = "$expected" ] || { echo "clients: $client printed: $got"; echo "             expected: $expected"; exit 1; }
  echo "$client: compiled; $got"
done
