// Package upgrade keeps what each release stored, under testdata, and tests
// that today's code reads it and goes on with it. docs/versioning.md says what
// that promises, CONTRIBUTING.md when a fixture is written.
package upgrade
