package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"momoproxy/infra/engines/engine"
)

func TestRunsTheCommand(t *testing.T) {
	for _, s := range engine.Services {
		t.Setenv(s.EndpointVariable(), "http://127.0.0.1:1")
	}
	t.Setenv("AWS_SESSION_TOKEN", "of somebody's own account")
	file := filepath.Join(t.TempDir(), "environment")
	var log bytes.Buffer
	code := run([]string{"--", "sh", "-c", `echo "$AWS_ENDPOINT_URL_DYNAMODB $AWS_ENDPOINT_URL_SQS $AWS_ACCESS_KEY_ID $AWS_SESSION_TOKEN." >"$0"; exit 7`, file}, &log)
	if code != 7 {
		t.Errorf("run = %d; want the command's 7", code)
	}
	got, err := os.ReadFile(file)
	if want := "http://127.0.0.1:1 http://127.0.0.1:1 local .\n"; err != nil || string(got) != want {
		t.Errorf("environment %q, %v; want %q", got, err, want)
	}
	for _, s := range engine.Services {
		if !strings.Contains(log.String(), "engines: "+string(s)+" is ") {
			t.Errorf("it does not say what %s is: %s", s, log.String())
		}
	}
}

func TestBadArguments(t *testing.T) {
	for _, args := range [][]string{{}, {"-unknown"}, {"--"}} {
		if code := run(args, &bytes.Buffer{}); code != 2 {
			t.Errorf("run(%q) = %d; want 2", args, code)
		}
	}
}
