package engine

import (
	"os"
	"strings"
	"testing"
)

// Tests with Docker use the same engines.
func TestComposeHasThePinnedVersions(t *testing.T) {
	t.Parallel()
	compose, err := os.ReadFile("../../../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, image := range []string{"amazon/dynamodb-local:" + dynamoDBLocalVersion, "softwaremill/elasticmq-native:" + elasticMQVersion} {
		if !strings.Contains(string(compose), "image: "+image+"\n") {
			t.Errorf("compose.yaml does not run %s", image)
		}
	}
}
