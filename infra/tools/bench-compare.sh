#!/usr/bin/env bash
# bench-compare.sh OLD [ROUNDS]: measure an older revision and this tree in
# turns, so that what else the machine does hits both alike. Prints each run,
# then the medians and how many times the old one's they are.
set -euo pipefail
old=${1:?usage: bench-compare.sh OLD [ROUNDS]} rounds=${2:-5} n=${N:-3000}
root=$(git rev-parse --show-toplevel)
revision=$(git -C "$root" rev-parse --short "$old^{commit}")
tree=$(mktemp -d)
trap 'git -C "$root" worktree remove --force "$tree/old" >/dev/null 2>&1; rm -rf "$tree"' EXIT
git -C "$root" worktree add --quiet --detach "$tree/old" "$revision"
go build -C "$tree/old" -o "$tree/deliveries-old" ./infra/bench/deliveries
go build -C "$root" -o "$tree/deliveries-new" ./infra/bench/deliveries
go test -C "$tree/old" -c -o "$tree/httpapi-old" ./shared/httpapi
go test -C "$root" -c -o "$tree/httpapi-new" ./shared/httpapi

# A line is: what, which, then the figures.
deliveries() { # NAME ARGUMENTS...
	local name=$1 which
	shift
	for which in old new; do
		"$tree/deliveries-$which" -runs 1 -n "$n" "$@" | awk -v name="$name" -v which="$which" '
			function ms(t) { return t ~ /µs$/ ? t / 1000 : t ~ /ms$/ ? t + 0 : t * 1000 }
			$1 == "median" { print name, which, "per_s=" $2 + 0, "p50_ms=" ms($4), "p99_ms=" ms($6), "cpu_ms=" ms($8), "allocs=" $13 }'
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
			printf "%-16s %-8s %12.2f %12.2f %8.2f\n", name[1], name[2], a, b, a ? b / a : 0
		}
	}' "$tree/runs"
