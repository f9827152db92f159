package docs

import (
	"regexp"
	"strings"
)

// varying are the parts of an output that differ from run to run.
var varying = []struct {
	is *regexp.Regexp
	as string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "REFERENCE"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?`), "TIME"},
	{regexp.MustCompile(`\b(evt|cli)_[0-9a-f]+`), "${1}_ID"},
	{regexp.MustCompile(`mmp_live_\w+`), "KEY"},
	{regexp.MustCompile(`whsec_[\w+/=]+`), "SECRET"},
	{regexp.MustCompile(`"financialTxId":"\d+"`), `"financialTxId":"ID"`},
	{regexp.MustCompile(`ORDER-[\d.]+`), "ORDER"},
	{regexp.MustCompile(`(127\.0\.0\.1|localhost):\d+`), "$1:PORT"},
	{regexp.MustCompile(`\b\d+ ms\b`), "N ms"},
}

func general(text string) string {
	for _, v := range varying {
		text = v.is.ReplaceAllString(text, v.as)
	}
	return text
}

// Shows says whether the output has each line that the page shows, in this
// order, other lines between them aside. "…" in a shown line stands for any
// text; ids, times and keys may differ.
func Shows(printed, shown string) bool {
	lines := strings.Split(general(printed), "\n")
	for want := range strings.SplitSeq(strings.TrimSpace(shown), "\n") {
		want = strings.TrimSpace(want)
		if want == "" || want == "…" {
			continue
		}
		pattern := regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(general(want)), "…", ".*"))
		for {
			if len(lines) == 0 {
				return false
			}
			line := lines[0]
			lines = lines[1:]
			if pattern.MatchString(line) {
				break
			}
		}
	}
	return true
}
