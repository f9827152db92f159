package dotenv_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"momoproxy/infra/dotenv"
)

func TestBeside(t *testing.T) {
	t.Setenv("MTN_TARGET_ENV", "sandbox")
	file := filepath.Join(t.TempDir(), dotenv.File)
	none, err := dotenv.Beside(os.Getenv, file)
	if err != nil || none("MTN_TARGET_ENV") != "sandbox" || none("MTN_API_USER") != "" {
		t.Errorf("without a file: %v", err)
	}
	text := "# an account\nexport MTN_API_USER=user\nMTN_API_KEY='a$b#c d'\nMTN_TARGET_ENV=mtnswaziland\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	get, err := dotenv.Beside(os.Getenv, file)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"MTN_API_USER": "user", "MTN_API_KEY": "a$b#c d", "MTN_TARGET_ENV": "sandbox", "MTN_BASE_URL": "",
	} {
		if got := get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if err := os.WriteFile(file, []byte("MTN_API_KEY hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dotenv.Beside(os.Getenv, file); err == nil || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "hush") {
		t.Errorf("of what is no file of variables: %v", err)
	}
}
