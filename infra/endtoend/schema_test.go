package endtoend

import (
	"cmp"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"momoproxy/infra/engines/engine"
	"momoproxy/shared/table/dynamo"
)

// schema is what the adapter depends on of a table, with the field names of
// the template.
type schema struct {
	AttributeDefinitions   []attribute
	KeySchema              []keyPart
	GlobalSecondaryIndexes []index
	TimeToLive             string
}

type attribute struct{ AttributeName, AttributeType string }

type keyPart struct{ AttributeName, KeyType string }

type index struct {
	IndexName  string
	KeySchema  []keyPart
	Projection struct{ ProjectionType string }
}

func (s *schema) sort() {
	slices.SortFunc(s.AttributeDefinitions, func(a, b attribute) int { return cmp.Compare(a.AttributeName, b.AttributeName) })
	slices.SortFunc(s.GlobalSecondaryIndexes, func(a, b index) int { return cmp.Compare(a.IndexName, b.IndexName) })
}

// The tables that tests and local runs make are those of the template.
func TestTablesAreTheTemplates(t *testing.T) {
	t.Parallel()
	s := deploy(t, "schema", map[string]string{"PublicBaseUrl": "https://momopay.example.com"})
	e := engine.For(t, engine.DynamoDB)
	client := dynamodb.NewFromConfig(awsConfig(), func(o *dynamodb.Options) { o.BaseEndpoint = &e.Endpoint })
	names := dynamo.Names{Main: uniqueName() + "-main", Audit: uniqueName() + "-audit"}
	if err := dynamo.Create(t.Context(), client, names); err != nil {
		t.Fatal(err)
	}
	for resource, name := range map[string]string{"MainTable": names.Main, "AuditTable": names.Audit} {
		var want schema
		s.properties(t, resource, &want)
		var ttl struct {
			TimeToLiveSpecification struct {
				AttributeName string
				Enabled       bool
			}
		}
		s.properties(t, resource, &ttl)
		if ttl.TimeToLiveSpecification.Enabled {
			want.TimeToLive = ttl.TimeToLiveSpecification.AttributeName
		}
		got := describe(t, client, name)
		want.sort()
		got.sort()
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-template.yaml +made):\n%s", resource, diff)
		}
	}
}

// describe reads a table back from the engine.
func describe(t *testing.T, client *dynamodb.Client, name string) schema {
	t.Helper()
	described, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	for _, a := range described.Table.AttributeDefinitions {
		s.AttributeDefinitions = append(s.AttributeDefinitions, attribute{aws.ToString(a.AttributeName), string(a.AttributeType)})
	}
	for _, k := range described.Table.KeySchema {
		s.KeySchema = append(s.KeySchema, keyPart{aws.ToString(k.AttributeName), string(k.KeyType)})
	}
	for _, g := range described.Table.GlobalSecondaryIndexes {
		i := index{IndexName: aws.ToString(g.IndexName)}
		i.Projection.ProjectionType = string(g.Projection.ProjectionType)
		for _, k := range g.KeySchema {
			i.KeySchema = append(i.KeySchema, keyPart{aws.ToString(k.AttributeName), string(k.KeyType)})
		}
		s.GlobalSecondaryIndexes = append(s.GlobalSecondaryIndexes, i)
	}
	ttl, err := client.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	if d := ttl.TimeToLiveDescription; d != nil {
		s.TimeToLive = aws.ToString(d.AttributeName)
	}
	return s
}
