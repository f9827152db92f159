package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Bounds of RETENTION_DAYS. Within 90 days a payer may dispute a payment, a
// provider may correct its word, and payer forget leaves the number alone.
const (
	leastRetention = 90
	mostRetention  = 3653 // ten years
)

// Retention reads RETENTION_DAYS: how long a payment is kept after its end. 0:
// it is never deleted.
func Retention(getenv func(string) string) (time.Duration, error) {
	text := strings.TrimSpace(getenv("RETENTION_DAYS"))
	if text == "" || text == "0" {
		return 0, nil
	}
	days, err := strconv.Atoi(text)
	if err != nil || days < leastRetention || days > mostRetention {
		return 0, fmt.Errorf("%w: RETENTION_DAYS must be 0, to delete nothing, or %d to %d days", ErrInvalid, leastRetention, mostRetention)
	}
	return time.Duration(days) * 24 * time.Hour, nil
}
