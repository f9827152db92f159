#!/usr/bin/env bash
# Follows "Move to MTN's new platform" of docs/go-live-mtn-eswatini.md on this machine, with two stand-ins for MTN's two
# platforms: an open payment stays where it was made, and new ones follow the share. Prints its transcript.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
go build -o "$dir/" ./infra/local ./infra/momoctl ./infra/standin/serve
port=${PORT:-28080}
export ACCOUNTS_FILE=$dir/accounts.json PUBLIC_BASE_URL=http://localhost:$port
momoctl() { echo "\$ momoctl $*" >&2; "$dir/momoctl" --data "$dir/data" "$@"; }
until_says() { for _ in $(seq 300); do grep -q "$2" "$1" 2>/dev/null && return; sleep 0.2; done; cat "$1"; exit 1; }

platform() { # name, port, further flags: one of MTN's platforms, with our account on it
  "$dir/serve" -provider mtn -port "$2" -public "http://localhost:$port" -currency SZL "${@:3}" > "$dir/$1" &
  until_says "$dir/$1" MTN_TARGET_ENV
}
account_on() { sed -n 's/^  \([A-Z_]*\)=\(.*\)$/"\1":"\2"/p' "$dir/$1" | paste -sd, | sed "s/.*/\"$1\":{&}/"; }
platform mtn-sz $((port + 11)) -approve 30s
platform mtn-sz-new $((port + 21)) -new-platform
printf '{"mtn":{%s,%s}}' "$(account_on mtn-sz)" "$(account_on mtn-sz-new)" > "$dir/accounts.json"
"$dir/local" -listen "127.0.0.1:$port" -data "$dir/data" -accounts "$dir/accounts.json" > "$dir/log" 2>&1 &
until_says "$dir/log" "127.0.0.1:$port"
until curl -sf "http://127.0.0.1:$port/health" > /dev/null; do sleep 0.2; done

pay() { # order: prints the payment's account and reference
  local answer
  answer=$(curl -s "http://127.0.0.1:$port/request-to-pay" -H 'Content-Type: application/json' -H 'X-Proxy-Api-Key: APP_CHANGE_THIS' \
    -d '{"amount":"150.00","externalId":"'"$1"'","payer":{"partyIdType":"MSISDN","partyId":"26876123456"}}')
  reference=$(sed -n 's/.*"referenceId":"\([^"]*\)".*/\1/p' <<<"$answer")
  account=$(sed -n 's/.*"account":"\([^"]*\)".*/\1/p' <<<"$answer")
  [ -n "$account" ] || { echo "$1: $answer"; exit 1; }
  echo "$1 is made on $account"
}
on() { [ "$account" = "$1" ] || { echo "it should be on $1"; exit 1; }; }

echo "2. The credentials of both platforms"
momoctl account check
momoctl account set mtn-sz-new --new-payments 0
echo "3. A payment is made, and its payer takes a while"
pay ORDER-1; on mtn-sz; first=$reference
echo "4. All new payments go to the new platform"
momoctl account set mtn-sz-new --new-payments 100
sleep 11 # it holds within 10 seconds
pay ORDER-2; on mtn-sz-new; second=$reference
momoctl account list
echo "5. And back"
momoctl account set mtn-sz-new --new-payments 0
sleep 11
pay ORDER-3; on mtn-sz; third=$reference
echo "Each ends where it was made"
for reference in "$first" "$second" "$third"; do
  for _ in $(seq 120); do
    answer=$(curl -s "http://127.0.0.1:$port/status/$reference" -H 'X-Proxy-Api-Key: APP_CHANGE_THIS')
    case $answer in *'"status":"SUCCESSFUL"'*) break ;; esac
    sleep 1
  done
  case $answer in *'"status":"SUCCESSFUL"'*) ;; *) echo "$reference did not end: $answer"; exit 1 ;; esac
  echo "$answer"
done
echo "6. Nothing is open on either"
momoctl account list
