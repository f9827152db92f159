package bench_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"momoproxy/shared/table"
)

// meter adds up the DynamoDB units and the calls that one step uses. Writes
// are counted twice: as the engine reports them, and by AWS's published rules
// (a unit for each started KiB, twice in a transaction, and one for each index
// entry put or removed). DynamoDB Local reports several items of one partition
// in a transaction as one, so the rules are what a bill would follow.
type meter struct {
	mu       sync.Mutex
	reported float64
	billed   float64
	limit    float64 // for the count of an app's requests, apart from billed
	read     float64
	calls    map[string]int
	entries  map[string]map[string]string // index entries by item
}

func newMeter() *meter {
	return &meter{calls: map[string]int{}, entries: map[string]map[string]string{}}
}

func (m *meter) call(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls[name]++
}

// used is what a step took.
type used struct {
	reported, billed, limit, read float64
	calls                         string
}

func (m *meter) take() used {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(m.calls)) {
		names = append(names, fmt.Sprintf("%d %s", m.calls[name], name))
	}
	u := used{m.reported, m.billed, m.limit, m.read, strings.Join(names, ", ")}
	m.reported, m.billed, m.limit, m.read, m.calls = 0, 0, 0, 0, map[string]int{}
	return u
}

// observe is client middleware: it asks for the capacity of every request and
// counts what was asked and answered.
func (m *meter) observe(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("meter", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		const total = types.ReturnConsumedCapacityTotal
		switch request := in.Parameters.(type) {
		case *dynamodb.GetItemInput:
			request.ReturnConsumedCapacity = total
		case *dynamodb.QueryInput:
			request.ReturnConsumedCapacity = total
		case *dynamodb.PutItemInput:
			request.ReturnConsumedCapacity = total
		case *dynamodb.TransactWriteItemsInput:
			request.ReturnConsumedCapacity = total
		}
		out, metadata, err := next.HandleInitialize(ctx, in)
		m.mu.Lock()
		defer m.mu.Unlock()
		switch result := out.Result.(type) {
		case *dynamodb.GetItemOutput:
			m.calls["GetItem"]++
			m.read += units(result.ConsumedCapacity)
		case *dynamodb.QueryOutput:
			m.calls["Query"]++
			m.read += units(result.ConsumedCapacity)
		case *dynamodb.PutItemOutput:
			m.calls["PutItem"]++
			item := in.Parameters.(*dynamodb.PutItemInput).Item
			if strings.HasPrefix(item["pk"].(*types.AttributeValueMemberS).Value, "limit#app#") {
				m.limit += m.put(item, 1)
				break
			}
			m.reported += units(result.ConsumedCapacity)
			m.billed += m.put(item, 1)
		case *dynamodb.TransactWriteItemsOutput:
			m.calls["TransactWriteItems"]++
			for _, c := range result.ConsumedCapacity {
				m.reported += units(&c)
			}
			for _, part := range in.Parameters.(*dynamodb.TransactWriteItemsInput).TransactItems {
				if part.Put != nil {
					m.billed += m.put(part.Put.Item, 2)
				} else {
					m.billed += 2 // a check, or the removal of a small item
				}
			}
		}
		return out, metadata, err
	}), middleware.Before)
}

func units(c *types.ConsumedCapacity) float64 {
	if c == nil {
		return 0
	}
	return aws.ToFloat64(c.CapacityUnits)
}

// put is what writing an item costs; factor is 2 in a transaction. Index
// entries that do not change cost nothing, and cost the same everywhere.
func (m *meter) put(item map[string]types.AttributeValue, factor float64) float64 {
	size := 0
	entries := map[string]string{}
	for name, value := range item {
		text := ""
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			text = v.Value
		case *types.AttributeValueMemberN:
			text = v.Value
		case *types.AttributeValueMemberB:
			text = string(v.Value)
		case *types.AttributeValueMemberBOOL:
			text = "x"
		}
		size += len(name) + len(text)
	}
	for _, index := range table.Indexes() {
		if partition, ok := item[index+"_pk"].(*types.AttributeValueMemberS); ok {
			entries[index] = partition.Value + "/" + item[index+"_sk"].(*types.AttributeValueMemberS).Value
		}
	}
	cost := factor * float64((size+1023)/1024)
	key := fmt.Sprint(item["pk"].(*types.AttributeValueMemberS).Value, "/", item["sk"].(*types.AttributeValueMemberS).Value)
	before := m.entries[key]
	for _, index := range table.Indexes() {
		if before[index] == entries[index] {
			continue
		}
		if before[index] != "" {
			cost++
		}
		if entries[index] != "" {
			cost++
		}
	}
	m.entries[key] = entries
	return cost
}
