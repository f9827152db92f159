// Package momoproxy holds the deployment template, so that the local system
// reads its routes and schedules from the file that AWS deploys.
package momoproxy

import _ "embed"

// Template is template.yaml.
//
//go:embed template.yaml
var Template []byte
