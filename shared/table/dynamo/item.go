package dynamo

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"momoproxy/shared/table"
)

// item is DynamoDB's form of a record.
type item = map[string]types.AttributeValue

// Names of the adapter's own attributes.
const (
	partitionName = "pk"
	sortName      = "sk"
	versionName   = "version"
	expiresName   = "expires_at"
	// writeName holds a random name of the write that made the record. An
	// adapter that repeats a write whose answer was lost finds its own here.
	writeName = "_write"
)

func indexPartition(index string) string { return index + "_pk" }
func indexSort(index string) string      { return index + "_sk" }

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func keyItem(k table.Key) item {
	return item{partitionName: text(k.Partition), sortName: text(k.Sort)}
}

// encode makes the item that a Put of r stores.
func encode(r table.Record, write string) item {
	it := keyItem(r.Key)
	it[versionName] = number(r.Version + 1)
	it[writeName] = text(write)
	if !r.ExpiresAt.IsZero() {
		it[expiresName] = number(r.ExpiresAt.Unix())
	}
	for name, e := range r.Index {
		it[indexPartition(name)], it[indexSort(name)] = text(e.Partition), text(e.Sort)
	}
	for name, v := range r.Attributes {
		switch v := v.(type) {
		case string:
			it[name] = text(v)
		case int64:
			it[name] = number(v)
		case bool:
			it[name] = &types.AttributeValueMemberBOOL{Value: v}
		case []byte:
			if v == nil {
				v = []byte{} // the SDK would leave the value out
			}
			it[name] = &types.AttributeValueMemberB{Value: v}
		}
	}
	return it
}

// decode reads an item back. An empty one is a record that is not there.
func decode(k table.Key, it item) (table.Record, error) {
	r := table.Record{Key: k, Attributes: map[string]any{}, Index: map[string]table.IndexKey{}}
	for _, name := range table.Indexes() {
		p, ok := it[indexPartition(name)].(*types.AttributeValueMemberS)
		s, also := it[indexSort(name)].(*types.AttributeValueMemberS)
		if ok && also {
			r.Index[name] = table.IndexKey{Partition: p.Value, Sort: s.Value}
		}
	}
	for name, v := range it {
		var err error
		switch {
		case name == versionName:
			r.Version, err = integer(v)
		case name == expiresName:
			var seconds int64
			seconds, err = integer(v)
			r.ExpiresAt = time.Unix(seconds, 0).UTC()
		case table.Reserved(name), strings.HasPrefix(name, "_"):
		default:
			r.Attributes[name], err = attribute(v)
		}
		if err != nil {
			return table.Record{}, fmt.Errorf("%s: attribute %s: %w", k, name, err)
		}
	}
	return r, nil
}

func attribute(v types.AttributeValue) (any, error) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value, nil
	case *types.AttributeValueMemberBOOL:
		return v.Value, nil
	case *types.AttributeValueMemberB:
		if v.Value == nil {
			return []byte{}, nil
		}
		return v.Value, nil
	}
	return integer(v)
}

func integer(v types.AttributeValue) (int64, error) {
	n, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return 0, fmt.Errorf("it is a %T", v)
	}
	return strconv.ParseInt(n.Value, 10, 64)
}

// madeBy tells whether the write of this name made the item.
func madeBy(it item, write string) bool {
	v, ok := it[writeName].(*types.AttributeValueMemberS)
	return ok && v.Value == write
}
