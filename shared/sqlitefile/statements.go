package sqlitefile

import (
	"context"
	"database/sql"
	"sync"
)

// Conn runs SQL for one Read or one Write, and is of no use after it. Each
// text is compiled once per connection and kept: the texts of a program are
// few, and values are arguments.
type Conn struct {
	ctx  context.Context
	kept *statements
}

// Exec returns how many rows changed.
func (c Conn) Exec(text string, args ...any) (int64, error) {
	s, err := c.kept.get(c.ctx, text)
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(c.ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Query returns rows that the caller closes before its next statement.
func (c Conn) Query(text string, args ...any) (*sql.Rows, error) {
	s, err := c.kept.get(c.ctx, text)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(c.ctx, args...)
}

// QueryRow scans the first row into the pointers, or returns sql.ErrNoRows.
func (c Conn) QueryRow(text string, args []any, into ...any) error {
	s, err := c.kept.get(c.ctx, text)
	if err != nil {
		return err
	}
	return s.QueryRowContext(c.ctx, args...).Scan(into...)
}

// statements are those compiled on one connection or on a pool, which compiles
// each once more on every connection that needs it.
type statements struct {
	on interface {
		PrepareContext(ctx context.Context, text string) (*sql.Stmt, error)
	}
	mu   sync.RWMutex
	kept map[string]*sql.Stmt
}

func (s *statements) get(ctx context.Context, text string) (*sql.Stmt, error) {
	s.mu.RLock()
	kept := s.kept[text]
	s.mu.RUnlock()
	if kept != nil {
		return kept, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept := s.kept[text]; kept != nil {
		return kept, nil
	}
	made, err := s.on.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if s.kept == nil {
		s.kept = map[string]*sql.Stmt{}
	}
	s.kept[text] = made
	return made, nil
}

func (s *statements) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, kept := range s.kept {
		_ = kept.Close()
	}
	s.kept = nil
}
