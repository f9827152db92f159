package engine

import (
	"os"
	"strings"
	"testing"
)

func TestElasticMQVersionIsThePom(t *testing.T) {
	t.Parallel()
	pom, err := os.ReadFile("../elasticmq/pom.xml")
	if err != nil {
		t.Fatal(err)
	}
	if want := "<version>" + elasticMQVersion + "</version>"; !strings.Contains(string(pom), want) {
		t.Errorf("elasticmq/pom.xml does not hold %s", want)
	}
}

// TestSQSEngine starts the engine this machine has and asks it for a queue
// list, as every test of the sqs adapter does.
func TestSQSEngine(t *testing.T) {
	e := For(t, SQS)
	t.Logf("SQS is %s at %s", e.Name, e.Endpoint)
	if err := listsQueues(t.Context(), e.Endpoint); err != nil {
		t.Fatal(err)
	}
	if again := For(t, SQS); again.Endpoint != e.Endpoint {
		t.Errorf("a second call started another engine: %s and %s", e.Endpoint, again.Endpoint)
	}
}
