package engine

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// dynamoDBLocalVersion is the one in dynamodb/pom.xml; a test compares them.
const dynamoDBLocalVersion = "3.1.0"

// dynamoDBLocalStarter runs AWS's own DynamoDB Local, the reference among the
// engines: conditions, transactions and their idempotence tokens behave as in
// the service. It has no option for the address and listens on all of them;
// it holds nothing but test records.
var dynamoDBLocalStarter = starter{
	name:  "DynamoDB Local " + dynamoDBLocalVersion,
	needs: []string{"java", "mvn"},
	start: startDynamoDBLocal,
}

func startDynamoDBLocal(ctx context.Context) (Engine, error) {
	jars, err := mavenJars(ctx, "dynamodb")
	if err != nil {
		return Engine{}, err
	}
	if err := hasNativeSQLite(jars); err != nil {
		return Engine{}, err
	}
	return launch(ctx, server{
		name: "DynamoDB Local " + dynamoDBLocalVersion,
		command: func(port int) *exec.Cmd {
			cmd := exec.Command("java", dynamoDBLocalArguments(jars, port)...)
			cmd.Env = append(os.Environ(), "DDB_LOCAL_TELEMETRY=0")
			return cmd
		},
		ready: listsTables,
	})
}

func dynamoDBLocalArguments(jars string, port int) []string {
	return []string{
		"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Djava.library.path=" + jars,
		"-cp", filepath.Join(jars, "*"),
		"software.amazon.dynamodb.services.local.main.ServerRunner",
		"-inMemory",
		"-sharedDb", // one set of tables, whatever region a client names
		"-disableTelemetry",
		"-port", strconv.Itoa(port),
	}
}

// hasNativeSQLite looks for the library that the engine keeps its records in:
// its Maven artifacts have none for some platforms (Linux on arm64).
func hasNativeSQLite(jars string) error {
	pattern := map[string]string{
		"linux/amd64":  "libsqlite4java-linux-amd64*.so",
		"darwin/amd64": "libsqlite4java-osx*.dylib",
		"darwin/arm64": "libsqlite4java-osx*.dylib",
	}[runtime.GOOS+"/"+runtime.GOARCH]
	if pattern != "" {
		if found, err := filepath.Glob(filepath.Join(jars, pattern)); err == nil && len(found) > 0 {
			return nil
		}
	}
	return fmt.Errorf("%w: no native SQLite for %s/%s among its artifacts", errMissing, runtime.GOOS, runtime.GOARCH)
}

// listsTables is ready when the engine answers DynamoDB's ListTables.
func listsTables(ctx context.Context, endpoint string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/", strings.NewReader("{}"))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
	// Well formed, signed by nobody: the engines read the key id and region.
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, "+
		"SignedHeaders=host;x-amz-date, Signature=0")
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("ListTables: %s", res.Status)
	}
	return nil
}
