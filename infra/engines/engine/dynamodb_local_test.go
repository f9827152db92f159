package engine

import (
	"os"
	"strings"
	"testing"
)

func TestDynamoDBLocalVersionIsThePinnedOne(t *testing.T) {
	pom, err := os.ReadFile("../dynamodb/pom.xml")
	if err != nil {
		t.Fatal(err)
	}
	if want := "<version>" + dynamoDBLocalVersion + "</version>"; !strings.Contains(string(pom), want) {
		t.Errorf("pom.xml lacks %s", want)
	}
}

func TestDynamoDBEngineAnswers(t *testing.T) {
	e := For(t, DynamoDB)
	if err := listsTables(t.Context(), e.Endpoint); err != nil {
		t.Fatalf("%s at %s: %v", e.Name, e.Endpoint, err)
	}
	t.Logf("%s", e.Name)
}
