package sqlite

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"momoproxy/shared/sqlitefile"
	"momoproxy/shared/table"
)

// columns are those that scan reads, in its order.
const columns = `version, attributes, indexes, expires_at`

// read returns the record; its version is 0 when there is none.
func read(c sqlitefile.Conn, k table.Key) (table.Record, error) {
	r := table.Record{Key: k}
	err := scan(func(into ...any) error {
		return c.QueryRow(`SELECT `+columns+` FROM `+recordsOf(k.Space)+` WHERE "partition" = ? AND sort = ?`,
			[]any{k.Partition, k.Sort}, into...)
	}, &r)
	if errors.Is(err, sql.ErrNoRows) {
		return table.Record{Key: k}, nil
	}
	return r, err
}

// scan fills r from a row that begins with the columns; more follow into
// dest... placed before them.
func scan(row func(...any) error, r *table.Record, before ...any) error {
	var attributes, indexes []byte
	var expires sql.NullInt64
	if err := row(append(before, &r.Version, &attributes, &indexes, &expires)...); err != nil {
		return err
	}
	var err error
	if r.Attributes, err = decodeAttributes(attributes); err != nil {
		return fmt.Errorf("%s: %w", r.Key, err)
	}
	if r.Index, err = decodeIndex(indexes); err != nil {
		return fmt.Errorf("%s: %w", r.Key, err)
	}
	if expires.Valid {
		r.ExpiresAt = time.Unix(expires.Int64, 0).UTC()
	}
	return nil
}

// marked is how bytes look in JSON.
type marked struct {
	Bytes []byte `json:"$bytes"`
}

func encode(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // for the operator's eyes
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

func encodeAttributes(attributes map[string]any) (string, error) {
	out := make(map[string]any, len(attributes))
	for name, v := range attributes {
		if b, ok := v.([]byte); ok {
			if b == nil {
				b = []byte{} // null would be no bytes at all
			}
			v = marked{b}
		}
		out[name] = v
	}
	return encode(out)
}

func decodeAttributes(b []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber() // a float would lose the last digits
	attributes := map[string]any{}
	if err := d.Decode(&attributes); err != nil {
		return nil, fmt.Errorf("attributes: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("attributes: more than one JSON value")
	}
	for name, v := range attributes {
		switch v := v.(type) {
		case string, bool:
		case json.Number:
			n, err := v.Int64()
			if err != nil {
				return nil, fmt.Errorf("attribute %s: %w", name, err)
			}
			attributes[name] = n
		case map[string]any:
			text, ok := v["$bytes"].(string)
			if !ok || len(v) != 1 {
				return nil, fmt.Errorf("attribute %s is an object", name)
			}
			raw, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return nil, fmt.Errorf("attribute %s: %w", name, err)
			}
			attributes[name] = raw
		default:
			return nil, fmt.Errorf("attribute %s is a %T", name, v)
		}
	}
	return attributes, nil
}

func encodeIndex(index map[string]table.IndexKey) (string, error) {
	out := make(map[string][2]string, len(index))
	for name, e := range index {
		out[name] = [2]string{e.Partition, e.Sort}
	}
	return encode(out)
}

func decodeIndex(b []byte) (map[string]table.IndexKey, error) {
	if string(b) == "{}" {
		return map[string]table.IndexKey{}, nil
	}
	var in map[string][2]string
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, fmt.Errorf("indexes: %w", err)
	}
	index := make(map[string]table.IndexKey, len(in))
	for name, e := range in {
		index[name] = table.IndexKey{Partition: e[0], Sort: e[1]}
	}
	return index, nil
}

func expiry(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.Unix(), Valid: !t.IsZero()}
}
