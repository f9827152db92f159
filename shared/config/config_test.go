package config_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/config"
)

const everything = config.Storage | config.Sealing | config.PayerKey | config.Queue | config.Provider | config.Payouts

func complete() map[string]string {
	return map[string]string{
		"TABLE_NAME": "main", "AUDIT_TABLE_NAME": "audit", "SEALING_SECRET_ID": "/stack/sealing-keys", "PAYER_SECRET_ID": "/stack/payer-key",
		"ACCOUNTS_PATH": "/stack/accounts/", "PAYOUTS_PATH": "/stack/payouts/", "QUEUE_URL": "https://sqs.example.com/1/q", "DEAD_LETTER_QUEUE_URL": "https://sqs.example.com/1/dead",
		"PUBLIC_BASE_URL": "https://momopay.example.com/", "PROVIDER": "mtn",
		"VERSION": "v1", "LOG_LEVEL": "warn", "METRICS_NAMESPACE": "momo-proxy", "RETENTION_DAYS": "400",
	}
}

func read(env map[string]string, needs config.Needs) (config.Config, error) {
	return config.Read(func(name string) string { return env[name] }, needs)
}

func TestReadTakesEverything(t *testing.T) {
	t.Parallel()
	got, err := read(complete(), everything)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		TableName: "main", AuditTableName: "audit", SealingSecretID: "/stack/sealing-keys", PayerSecretID: "/stack/payer-key",
		AccountsPath: "/stack/accounts", PayoutsPath: "/stack/payouts", QueueURL: "https://sqs.example.com/1/q", DeadLetterQueueURL: "https://sqs.example.com/1/dead",
		PublicBaseURL: "https://momopay.example.com", CallbackPolicy: config.Confirm,
		Provider: "mtn", Version: "v1", LogLevel: slog.LevelWarn, MetricsNamespace: "momo-proxy", Retention: 400 * 24 * time.Hour,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
}

func TestReadNamesEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	_, err := read(map[string]string{"LOG_LEVEL": "loud", "CALLBACK_POLICY": "hope", "RETENTION_DAYS": "a year"}, everything)
	if !errors.Is(err, config.ErrInvalid) {
		t.Fatalf("read: %v", err)
	}
	for _, name := range []string{"TABLE_NAME", "AUDIT_TABLE_NAME", "SEALING_SECRET_ID", "PAYER_SECRET_ID", "QUEUE_URL", "PUBLIC_BASE_URL", "PAYOUTS_PATH",
		"LOG_LEVEL", "CALLBACK_POLICY", "RETENTION_DAYS"} {
		if !strings.Contains(err.Error(), name+" ") {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
}

func TestReadAsksOnlyForWhatIsNeeded(t *testing.T) {
	t.Parallel()
	env := complete()
	delete(env, "PUBLIC_BASE_URL")
	if _, err := read(env, config.Storage|config.Sealing|config.Queue); err != nil {
		t.Errorf("the forwarder's environment: %v", err)
	}
	delete(env, "SEALING_SECRET_ID")
	if _, err := read(env, config.Storage|config.Queue); err != nil {
		t.Errorf("the environment of who opens no secrets: %v", err)
	}
}

func TestMetricsNamespaceIsOneCloudWatchTakes(t *testing.T) {
	t.Parallel()
	for namespace, allowed := range map[string]bool{
		"": true, "momo-proxy": true, "Shop/momo.proxy_2#a": true, strings.Repeat("n", 255): true,
		"momo proxy": false, "AWS/Lambda": false, ":n": false, "é": false, strings.Repeat("n", 256): false,
	} {
		env := complete()
		env["METRICS_NAMESPACE"] = namespace
		_, err := read(env, config.Storage)
		if (err == nil) != allowed {
			t.Errorf("METRICS_NAMESPACE=%q: %v", namespace, err)
		}
	}
}

func TestURLsMustBeAbsolute(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"PUBLIC_BASE_URL"} {
		for _, bad := range []string{"momopay.example.com", "/callback", "ftp://example.com", "https://"} {
			env := complete()
			env[name] = bad
			if _, err := read(env, everything); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s=%s: %v", name, bad, err)
			}
		}
	}
}
