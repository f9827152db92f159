package momoproxy

// Version is the release that a program was built as. `make release` sets it
// at link time; every other build is "dev".
var Version = "dev"
