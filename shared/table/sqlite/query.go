package sqlite

import (
	"context"
	"strings"

	"momoproxy/shared/sqlitefile"
	"momoproxy/shared/table"
)

// Query implements table.Table. An index never lags here.
func (t *Table) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := ctx.Err(); err != nil {
		return table.Page{}, err
	}
	q, err := table.CheckQuery(q)
	if err != nil {
		return table.Page{}, err
	}
	statement, args, err := statement(q)
	if err != nil {
		return table.Page{}, err
	}
	page := table.Page{Records: []table.Record{}}
	err = t.file.Read(ctx, func(c sqlitefile.Conn) error { return walk(c, q, statement, args, &page) })
	if err != nil {
		return table.Page{}, fault(ctx, "query", err)
	}
	return page, nil
}

// walk fills the page from the rows of the statement.
func walk(c sqlitefile.Conn, q table.Query, statement string, args []any, page *table.Page) error {
	rows, err := c.Query(statement, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if len(page.Records) == q.Limit {
			page.Next = table.EncodeCursor(q, page.Records[q.Limit-1])
			return nil
		}
		var r table.Record
		if q.Index == "" {
			r.Key = table.Key{Space: q.Space, Partition: q.Partition}
			err = scan(rows.Scan, &r, &r.Sort)
		} else {
			r.Space = q.Space
			var sort string
			err = rows.Scan(&sort, &r.Partition, &r.Sort)
			r.Index = map[string]table.IndexKey{q.Index: {Partition: q.Partition, Sort: sort}}
		}
		if err != nil {
			return err
		}
		page.Records = append(page.Records, r)
	}
	return rows.Err()
}

// statement builds the SELECT of one page and one row more, which tells
// whether there is a next one.
func statement(q table.Query) (string, []any, error) {
	var s strings.Builder
	var args []any
	and := func(condition string, values ...any) {
		s.WriteString(condition)
		args = append(args, values...)
	}
	position, past, order := "sort", ">", ""
	if q.Descending {
		past, order = "<", " DESC"
	}
	if q.Index == "" {
		s.WriteString(`SELECT sort, ` + columns + ` FROM ` + recordsOf(q.Space))
		and(` WHERE "partition" = ?`, q.Partition)
	} else {
		position = "index_sort"
		s.WriteString(`SELECT index_sort, "partition", sort FROM main_index`)
		and(` WHERE name = ? AND index_partition = ?`, q.Index, q.Partition)
	}
	if q.From != "" {
		and(` AND `+position+` >= ?`, q.From)
	}
	if q.To != "" {
		and(` AND `+position+` < ?`, q.To)
	}
	if q.After != "" {
		p, err := table.DecodeCursor(q)
		if err != nil {
			return "", nil, err
		}
		if q.Index == "" {
			and(` AND sort `+past+` ?`, p.Sort)
		} else {
			and(` AND (index_sort, "partition", sort) `+past+` (?, ?, ?)`, p.Sort, p.Key.Partition, p.Key.Sort)
		}
	}
	s.WriteString(` ORDER BY ` + position + order)
	if q.Index != "" {
		s.WriteString(`, "partition"` + order + `, sort` + order)
	}
	and(` LIMIT ?`, q.Limit+1)
	return s.String(), args, nil
}
