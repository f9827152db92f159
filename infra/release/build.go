package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// platforms are what people run the local system and momoctl on.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

// programs by the name they have in a release.
var programs = map[string]string{"momo-proxy-local": "./infra/local", "momoctl": "./infra/momoctl"}

// texts go into every archive: files, and folders with all that is in them.
// The programs and the pages point to them.
var texts = []string{"LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md", "docs", "events/verify"}

// build makes all files of a release out of a source folder.
func build(ctx context.Context, source, cache, out, version string, platforms []string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	b := builder{ctx: ctx, source: source, out: out, version: version, environment: append(os.Environ(), "GOCACHE="+cache, "GOFLAGS=", "CGO_ENABLED=0")}
	var binaries []string
	for _, platform := range platforms {
		built, err := b.platform(platform)
		if err != nil {
			return err
		}
		binaries = append(binaries, built...)
	}
	functions, err := b.bundle()
	if err != nil {
		return err
	}
	bom, err := billOfMaterials(version, append(binaries, functions...))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "sbom.cdx.json"), bom, 0o644); err != nil {
		return err
	}
	container, err := os.ReadFile(filepath.Join(source, "infra/release/Containerfile"))
	if err != nil {
		return err
	}
	container = bytes.ReplaceAll(container, []byte("VERSION"), []byte(version))
	if err := os.WriteFile(filepath.Join(out, "Containerfile"), container, 0o644); err != nil {
		return err
	}
	changelog, err := os.ReadFile(filepath.Join(source, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	notes, err := notesOf(string(changelog), version)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "NOTES.md"), []byte(notes), 0o644); err != nil {
		return err
	}
	return sum(out)
}

type builder struct {
	ctx                  context.Context
	source, out, version string
	environment          []string
}

func (b builder) compile(to, program, ldflags, tags string, environment ...string) error {
	cmd := exec.CommandContext(b.ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags="+tags, "-ldflags="+ldflags, "-o", to, program)
	cmd.Dir, cmd.Env, cmd.Stderr = b.source, append(b.environment, environment...), os.Stderr
	return cmd.Run()
}

// platform makes the archive for one platform.
func (b builder) platform(platform string) (binaries []string, err error) {
	system, processor, _ := strings.Cut(platform, "/")
	name := fmt.Sprintf("momo-proxy-%s-%s-%s", b.version, system, processor)
	fmt.Println("release:", name)
	suffix := ""
	if system == "windows" {
		suffix = ".exe"
	}
	z := archive{}
	for program, folder := range programs {
		binary := filepath.Join(b.source, "build", name, program+suffix)
		if err := b.compile(binary, folder, "-s -w -X momoproxy.Version="+b.version, "", "GOOS="+system, "GOARCH="+processor); err != nil {
			return nil, err
		}
		binaries = append(binaries, binary)
		z[program+suffix] = member{from: binary, program: true}
	}
	if platform == runtime.GOOS+"/"+runtime.GOARCH {
		// The linker says nothing when there is no variable to set.
		says, err := output(b.ctx, ".", filepath.Join(b.source, "build", name, "momoctl"+suffix), "version")
		if err != nil || !strings.HasPrefix(string(says), "momoctl "+b.version+",") {
			return nil, errors.Join(err, fmt.Errorf("momoctl version says %q, not %s", says, b.version))
		}
	}
	if err := z.add(b.source, texts); err != nil {
		return nil, err
	}
	return binaries, z.write(filepath.Join(b.out, name+".zip"))
}

// bundle makes what sam deploys: the template beside built functions.
func (b builder) bundle() (binaries []string, err error) {
	fmt.Println("release: the functions")
	z := archive{"samconfig.toml": {from: filepath.Join(b.source, "samconfig.toml")}}
	folders, err := filepath.Glob(filepath.Join(b.source, "functions/*/main.go"))
	if err != nil || len(folders) == 0 {
		return nil, errors.Join(err, errors.New("there are no functions"))
	}
	for _, main := range folders {
		name := filepath.Base(filepath.Dir(main))
		binary := filepath.Join(b.source, "build", name, "bootstrap")
		// As `make build` has it.
		if err := b.compile(binary, "./functions/"+name, "-s -w", "lambda.norpc", "GOOS=linux", "GOARCH=arm64"); err != nil {
			return nil, err
		}
		binaries = append(binaries, binary)
		z["functions/"+name+"/bootstrap"] = member{from: binary, program: true}
	}
	template, err := os.ReadFile(filepath.Join(b.source, "template.yaml"))
	if err != nil {
		return nil, err
	}
	// The only default that is called dev is the parameter Version's.
	if n := bytes.Count(template, []byte("    Default: dev\n")); n != 1 {
		return nil, fmt.Errorf("template.yaml has %d defaults \"dev\", not one: which is Version's?", n)
	}
	z["template.yaml"] = member{content: bytes.Replace(template, []byte("    Default: dev\n"), []byte("    Default: "+b.version+"\n"), 1)}
	if err := z.add(b.source, texts); err != nil {
		return nil, err
	}
	return binaries, z.write(filepath.Join(b.out, "momo-proxy-"+b.version+"-sam.zip"))
}

// notesOf is the changelog's section of a version. A version with a suffix may
// still be unreleased there.
func notesOf(changelog, version string) (string, error) {
	titles := []string{version}
	if strings.Contains(version, "-") {
		titles = append(titles, "Unreleased")
	}
	for _, title := range titles {
		_, section, ok := strings.Cut(changelog, "\n## "+title)
		if !ok || !strings.HasPrefix(section, "\n") && !strings.HasPrefix(section, " ") {
			continue
		}
		_, section, _ = strings.Cut(section, "\n")
		section, _, _ = strings.Cut(section, "\n## ")
		return strings.TrimSpace(section) + "\n", nil
	}
	return "", fmt.Errorf("CHANGELOG.md has no section %q", "## "+version)
}

// sum writes SHA256SUMS, as sha256sum does.
func sum(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var lines []string
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return err
		}
		lines = append(lines, fmt.Sprintf("%x  %s\n", sha256.Sum256(content), e.Name()))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[66:], b[66:]) })
	return os.WriteFile(filepath.Join(folder, "SHA256SUMS"), []byte(strings.Join(lines, "")), 0o644)
}
