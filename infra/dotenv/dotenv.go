// Package dotenv reads the environment of a program on one machine: its
// variables, and those that a .env file in its folder has in their place.
package dotenv

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"

	"github.com/joho/godotenv"
)

// File is where variables are kept, in the folder that a program is started
// in.
const File = ".env"

// Beside is getenv, with what a file has for variables that are not set. No
// file is no fault.
func Beside(getenv func(string) string, file string) (func(string) string, error) {
	kept, err := godotenv.Read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return getenv, nil
	}
	if err != nil {
		// The parser's message quotes the line, which may hold a secret.
		return nil, fmt.Errorf("%s cannot be read: each line must be NAME=value", file)
	}
	return func(name string) string {
		return cmp.Or(getenv(name), kept[name])
	}, nil
}
