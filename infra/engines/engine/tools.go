package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// root is the repository: the nearest folder upwards that holds go.mod.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("run this inside the repository: no go.mod found upwards")
		}
		dir = up
	}
}

// install returns the folder .tools/<name>-<hash of recipe>, filled by fill
// if it is not there yet. Processes that ask at the same time wait for the
// first one. A fill that fails leaves nothing behind; a new recipe gives a new
// folder. Fill runs in the final folder, because a Python environment
// cannot be moved; a marker file says that it was finished.
func install(name, recipe string, fill func(dir string) error) (string, error) {
	top, err := root()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(recipe))
	tools := filepath.Join(top, ".tools")
	dir := filepath.Join(tools, name+"-"+hex.EncodeToString(sum[:4]))
	marker := filepath.Join(dir, ".installed")
	if _, err := os.Stat(marker); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(tools, 0o755); err != nil {
		return "", err
	}
	// One lock for all tools: Maven's own repository is not made for
	// several writers.
	lock, err := os.OpenFile(filepath.Join(tools, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close() // closing unlocks
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if _, err := os.Stat(marker); err == nil {
		return dir, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := fill(dir); err != nil {
		_ = os.RemoveAll(dir)
		return "", err
	}
	return dir, os.WriteFile(marker, nil, 0o644)
}

// mavenJars resolves the runtime dependencies of the pom.xml in the
// repository folder infra/engines/<name> and returns the folder they are in.
func mavenJars(ctx context.Context, name string) (string, error) {
	top, err := root()
	if err != nil {
		return "", err
	}
	pom := filepath.Join(top, "infra", "engines", name, "pom.xml")
	recipe, err := os.ReadFile(pom)
	if err != nil {
		return "", err
	}
	return install(name, string(recipe), func(dir string) error {
		return run(ctx, dir, "mvn", "-q", "-B", "-f", pom,
			"org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
			"-DincludeScope=runtime", "-DoutputDirectory="+dir)
	})
}

// pythonEnv makes a virtual environment with the requirements (pip's syntax,
// versions pinned) and returns its folder.
func pythonEnv(ctx context.Context, name string, requirements ...string) (string, error) {
	return install(name, strings.Join(requirements, "\n"), func(dir string) error {
		if err := run(ctx, dir, "python3", "-m", "venv", dir); err != nil {
			return err
		}
		args := append([]string{"-m", "pip", "install", "-q", "--disable-pip-version-check"}, requirements...)
		return run(ctx, dir, filepath.Join(dir, "bin", "python3"), args...)
	})
}

func run(ctx context.Context, dir, command string, args ...string) error {
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Dir = dir
	var out tail
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", command, strings.Join(args, " "), err, out.String())
	}
	return nil
}
