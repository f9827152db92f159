package engine

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
)

// elasticMQVersion is the one in elasticmq/pom.xml; a test compares them.
const elasticMQVersion = "1.7.1"

// elasticMQStarter runs ElasticMQ with all queues in memory and SQS's own
// limits enforced.
var elasticMQStarter = starter{
	name:  "ElasticMQ " + elasticMQVersion,
	needs: []string{"java", "mvn"},
	start: startElasticMQ,
}

func startElasticMQ(ctx context.Context) (Engine, error) {
	jars, err := mavenJars(ctx, "elasticmq")
	if err != nil {
		return Engine{}, err
	}
	return launch(ctx, server{
		name: "ElasticMQ " + elasticMQVersion,
		command: func(port int) *exec.Cmd {
			return exec.Command("java", elasticMQArguments(jars, port)...)
		},
		ready: listsQueues,
	})
}

// elasticMQArguments sets by system properties what a configuration file
// would: the built-in one listens on all addresses.
func elasticMQArguments(jars string, port int) []string {
	return []string{
		"-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Drest-sqs.bind-hostname=127.0.0.1",
		fmt.Sprintf("-Drest-sqs.bind-port=%d", port),
		"-Drest-sqs.sqs-limits=strict",
		"-Drest-stats.enabled=false",
		"-Dnode-address.host=127.0.0.1", // part of the queue URLs it returns
		fmt.Sprintf("-Dnode-address.port=%d", port),
		"-Djava.net.preferIPv4Stack=true",
		"-cp", filepath.Join(jars, "*"),
		"org.elasticmq.server.Main",
	}
}

// listsQueues is ready when the engine answers the SQS action ListQueues.
func listsQueues(ctx context.Context, endpoint string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/", strings.NewReader("{}"))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AmazonSQS.ListQueues")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("ListQueues: %s", res.Status)
	}
	return nil
}
