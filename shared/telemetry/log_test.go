package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/telemetry"
)

// lineOf returns the one line that log writes, without its timestamp.
func lineOf(t *testing.T, level slog.Level, log func(*slog.Logger)) map[string]any {
	t.Helper()
	var out bytes.Buffer
	log(telemetry.New(&out, level))
	if strings.Count(out.String(), "\n") != 1 {
		t.Fatalf("not one line: %q", out.String())
	}
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	stamp, _ := line["timestamp"].(string)
	if at, err := time.Parse(time.RFC3339Nano, stamp); err != nil || time.Since(at) > time.Hour || !strings.HasSuffix(stamp, "Z") {
		t.Errorf("timestamp %q, %v", stamp, err)
	}
	delete(line, "timestamp")
	return line
}

func TestLog(t *testing.T) {
	t.Parallel()
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "r-1"})
	header := map[string][]string{"Authorization": {"Basic dTpw"}, "X-Reference-Id": {"1"}}
	for name, c := range map[string]struct {
		log  func(*slog.Logger)
		want map[string]any
	}{
		"plain": {
			func(l *slog.Logger) { l.Info("paid", "n", 1, "ok", true, "took", 2*time.Second, "s", "x") },
			map[string]any{"level": "INFO", "message": "paid", "n": 1.0, "ok": true, "took": 2e9, "s": "x"},
		},
		"Lambda request": {
			func(l *slog.Logger) { l.With("a", "b").ErrorContext(ctx, "x") },
			map[string]any{"level": "ERROR", "message": "x", "a": "b", "requestId": "r-1"},
		},
		"secret names": {
			func(l *slog.Logger) { l.Info("x", "apiKey", "k", "token", 5, "password", []byte("p"), "secret", "") },
			map[string]any{"level": "INFO", "message": "x", "apiKey": "[redacted]", "token": "[redacted]", "password": "[redacted]", "secret": ""},
		},
		"secret group": {
			func(l *slog.Logger) { l.Info("x", slog.Group("credentials", "user", "u", "n", 1)) },
			map[string]any{"level": "INFO", "message": "x", "credentials": map[string]any{"user": "[redacted]", "n": "[redacted]"}},
		},
		"attributes of the logger": {
			func(l *slog.Logger) {
				l.With("api_key", "k").WithGroup("g").Info("x", "api_key", "k", "time", 1, "level", 2)
			},
			map[string]any{"level": "INFO", "message": "x", "api_key": "[redacted]", "g": map[string]any{"api_key": "[redacted]", "time": 1.0, "level": 2.0}},
		},
		"message and text": {
			func(l *slog.Logger) { l.Info("sent Bearer abc", "body", `{"access_token":"t","a":1}`) },
			map[string]any{"level": "INFO", "message": "sent Bearer [redacted]", "body": `{"access_token":"[redacted]","a":1}`},
		},
		"error": {
			func(l *slog.Logger) {
				l.Warn("x", "err", fmt.Errorf("get: %w", errors.New("https://h/?token=abc refused whsec_abc")))
			},
			map[string]any{"level": "WARN", "message": "x", "err": "get: https://h/?token=[redacted] refused whsec_[redacted]"},
		},
		"other values": {
			func(l *slog.Logger) {
				l.Info("x", "header", header, "struct", struct{ APIKey, Name string }{"k", "n"}, "nil", nil, "bytes", []byte("token=a"))
			},
			map[string]any{
				"level": "INFO", "message": "x", "nil": nil, "bytes": "token=[redacted]",
				"header": map[string]any{"Authorization": "[redacted]", "X-Reference-Id": []any{"1"}},
				"struct": map[string]any{"APIKey": "[redacted]", "Name": "n"},
			},
		},
		"no JSON": {
			func(l *slog.Logger) { l.Info("x", "f", func() {}, "inf", []any{math.Inf(1)}) },
			map[string]any{"level": "INFO", "message": "x", "f": "func()", "inf": "[]interface {}"},
		},
		"attributes named like ours": {
			func(l *slog.Logger) { l.Info("x", "time", "noon") },
			map[string]any{"level": "INFO", "message": "x", "time": "noon"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(c.want, lineOf(t, slog.LevelInfo, c.log)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestLogLong(t *testing.T) {
	t.Parallel()
	line := lineOf(t, slog.LevelInfo, func(l *slog.Logger) { l.Info("x", "list", strings.Split(strings.Repeat("abc ", 20000), " ")) })
	if s, _ := line["list"].(string); len(s) > telemetry.MaxBody || !strings.Contains(s, "…[cut, ") {
		t.Errorf("%d bytes", len(s))
	}
}

func TestLogLevel(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := telemetry.New(&out, slog.LevelWarn)
	log.Info("no")
	if out.Len() > 0 {
		t.Errorf("logged below the level: %s", out.String())
	}
	log.Warn("yes")
	if out.Len() == 0 {
		t.Error("not logged at the level")
	}
}
