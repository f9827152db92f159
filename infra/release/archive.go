package main

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// archive is a zip file's members by their names in it.
type archive map[string]member

type member struct {
	from    string // a file
	content []byte // or this
	program bool
}

// packed is the time of every member: an archive must not say when it was
// made, or no two were the same.
var packed = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// add takes files out of a folder, under their names there.
func (a archive) add(folder string, names []string) error {
	for _, name := range names {
		err := fs.WalkDir(os.DirFS(folder), name, func(file string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				a[file] = member{from: filepath.Join(folder, file)}
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a archive) write(path string) error {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(a)) {
		m := a[name]
		if m.from != "" {
			var err error
			if m.content, err = os.ReadFile(m.from); err != nil {
				return err
			}
		}
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: packed}
		h.SetMode(0o644)
		if m.program {
			h.SetMode(0o755)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := f.Write(m.content); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
