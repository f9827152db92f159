//go:build race

package httpapi_test

// raced: the race detector is at work. It allocates, too.
const raced = true
