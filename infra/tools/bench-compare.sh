#!/usr/bin/env bash
# bench-compare.sh OLD [ROUNDS]: measure an older revision and this tree in
# turns, so that what else the machine does hits both alike. Prints each run,
# then the medians, 0 where no run finished, and how many times the old one's
# they are. N deliveries
# (10,000) are in a run. A run that fails is printed and not in the medians.
# With LIVE=1 it measures deliveries over SQLite while events are made, alone.
set -euo pipefail
old=${1:?usage: bench-compare.sh OLD [ROUNDS]} rounds=${2:-5} n=${N:-10000}
root=$(git rev-parse --show-toplevel)
revision=$(git -C "$root" rev-parse --short "$old^{commit}")
tree=$(mktemp -d)
trap 'git -C "$root" worktree remove --force "$tree/old" >/dev/null 2>&1; rm -rf "$tree"' EXIT
git -C "$root" worktree add --quiet --detach "$tree/old" "$revision"
# A revision from before -live gets today's driver over its own product. There
# a delivery was the ledger's, and one order could be paid once.
bench=infra/bench/deliveries
if [ ! -e "$tree/old/$bench/live.go" ]; then
	cp "$root/$bench/"{main,live,throughput}.go "$tree/old/$bench/"
	sed -i 's#"momoproxy/shared/delivery"#delivery "momoproxy/shared/ledger"#; s#delivery\.Delivered#delivery.DeliveryDelivered#' "$tree/old/$bench/"{live,throughput}.go
	sed -i 's#fmt.Sprintf("ORDER-%d", i)#"ORDER-" + reference#' "$tree/old/$bench/world.go"
fi
go build -C "$tree/old" -o "$tree/deliveries-old" ./infra/bench/deliveries
go build -C "$root" -o "$tree/deliveries-new" ./infra/bench/deliveries
go test -C "$tree/old" -c -o "$tree/httpapi-old" ./shared/httpapi
go test -C "$root" -c -o "$tree/httpapi-new" ./shared/httpapi

# A line is: what, which, then the figures.
deliveries() { # NAME ARGUMENTS...
	local name=$1 which
	shift
	for which in old new; do
		if ! "$tree/deliveries-$which" -runs 1 -n "$n" "$@" >"$tree/run" 2>&1; then
			echo "$name $which failed=1"
			tail -1 "$tree/run" >&2
			continue
		fi
		awk -v name="$name" -v which="$which" '
			function ms(t) { return t ~ /µs$/ ? t / 1000 : t ~ /ms$/ ? t + 0 : t * 1000 }
			$1 == "median" { print name, which, "per_s=" $2 + 0, "p50_ms=" ms($4), "p99_ms=" ms($6), "cpu_ms=" ms($8), "allocs=" $13 }' "$tree/run"
	done
}
requests() {
	local which
	for which in old new; do
		(cd "$root/shared/httpapi" && "$tree/httpapi-$which" -test.run '^$' -test.bench 'RequestToPay|Forwarder' -test.benchtime 1000x) |
			awk -v which="$which" '/^Benchmark/ {
				line = tolower(substr($1, 10)); sub(/-[0-9]+$/, "", line); line = line " " which
				for (i = 3; i < NF; i += 2) { if ($(i+1) == "cpu-µs/op") line = line " cpu_us=" $i; if ($(i+1) == "allocs/op") line = line " allocs=" $i }
				print line }'
	done
}

echo "old $revision, new $(git -C "$root" describe --always --dirty), $rounds rounds of $n deliveries, $(nproc) processors, $(go env GOVERSION)"
for ((round = 1; round <= rounds; round++)); do
	deliveries live-sqlite -store sqlite -live
	[ -z "${LIVE:-}" ] || continue
	deliveries backlog-sqlite -store sqlite
	deliveries backlog-memory -store memory
	requests
done | tee "$tree/runs"

awk '
	function median(list,   v, n, i, j, t) {
		n = split(list, v, " ")
		for (i = 2; i <= n; i++) for (j = i; j > 1 && v[j-1] + 0 > v[j] + 0; j--) { t = v[j]; v[j] = v[j-1]; v[j-1] = t }
		return v[int((n + 1) / 2)] + 0
	}
	{
		for (i = 3; i <= NF; i++) {
			split($i, part, "="); key = $1 " " part[1]
			if (!(key in seen)) { seen[key]; order[++count] = key }
			all[key, $2] = all[key, $2] " " part[2]
		}
	}
	END {
		printf "\n%-16s %-8s %12s %12s %8s\n", "median of", "", "old", "new", "times"
		for (k = 1; k <= count; k++) {
			split(order[k], name, " "); a = median(all[order[k], "old"]); b = median(all[order[k], "new"])
			if (name[2] == "failed") { printf "%-16s %-8s %12d %12d\n", name[1], name[2], split(all[order[k], "old"], t, " "), split(all[order[k], "new"], t, " "); continue }
			printf "%-16s %-8s %12.2f %12.2f %8s\n", name[1], name[2], a, b, a && b ? sprintf("%.3f", b / a) : "-"
		}
	}' "$tree/runs"
