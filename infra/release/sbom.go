package main

import (
	"cmp"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"slices"
)

// bill is a CycloneDX 1.5 document. It has neither a time nor a random serial
// number, so that two builds write the same one.
type bill struct {
	Format      string      `json:"bomFormat"`
	SpecVersion string      `json:"specVersion"`
	Version     int         `json:"version"`
	Metadata    metadata    `json:"metadata"`
	Components  []component `json:"components"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PURL       string     `json:"purl,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// billOfMaterials lists the modules that the binaries say they were linked
// from, which are fewer than go.mod names.
func billOfMaterials(version string, binaries []string) ([]byte, error) {
	components := map[string]component{}
	add := func(name, version, sum string) {
		c := component{Type: "library", Name: name, Version: version, PURL: "pkg:golang/" + name + "@" + version}
		if sum != "" {
			c.Properties = []property{{"go:sum", sum}}
		}
		components[c.PURL] = c
	}
	for _, path := range binaries {
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		add("stdlib", info.GoVersion, "")
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			add(m.Path, m.Version, m.Sum)
		}
	}
	b := bill{Format: "CycloneDX", SpecVersion: "1.5", Version: 1, Metadata: metadata{component{Type: "application", Name: "momo-proxy", Version: version}}}
	for _, c := range components {
		b.Components = append(b.Components, c)
	}
	slices.SortFunc(b.Components, func(a, b component) int { return cmp.Compare(a.PURL, b.PURL) })
	text, err := json.MarshalIndent(b, "", "  ")
	return append(text, '\n'), err
}
