package engine

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
)

// motoVersion is pinned: a test engine must not change under the tests.
const motoVersion = "5.2.5"

// motoStarter runs moto's server, which speaks all services. It holds one
// lock and knows no transaction conflicts, so it says less about concurrency
// than the other engines: the last resort.
var motoStarter = starter{name: "moto " + motoVersion, needs: []string{"python3"}, start: startMoto}

func startMoto(ctx context.Context) (Engine, error) {
	dir, err := pythonEnv(ctx, "moto", "moto[server]=="+motoVersion)
	if err != nil {
		return Engine{}, err
	}
	return launch(ctx, server{
		name: "moto " + motoVersion,
		command: func(port int) *exec.Cmd {
			return exec.Command(filepath.Join(dir, "bin", "moto_server"), "-H", "127.0.0.1", "-p", strconv.Itoa(port))
		},
		ready: answers("/moto-api/data.json"),
	})
}

// answers is ready when a GET of path is answered with 200.
func answers(path string) func(context.Context, string) error {
	return func(ctx context.Context, endpoint string) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+path, nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("GET %s: %s", path, res.Status)
		}
		return nil
	}
}
