package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"momoproxy/shared/config"
	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
)

// checkLiveFlags refuses what must not stand beside real money.
func checkLiveFlags(o options) error {
	switch {
	case !o.live:
		return nil
	case o.policy == config.Trust:
		return errors.New("-live does not go with -callback-policy trust: unsigned callbacks would be believed")
	case o.demo:
		return errors.New("-live does not go with -demo: the demo client's key is published")
	case o.data == ":memory:":
		return errors.New("-live does not go with -data :memory:: payments would be forgotten")
	}
	return nil
}

// liveKey is of the record that says: the payments here are real.
var liveKey = table.Key{Space: table.Main, Partition: "local#mode", Sort: "live"}

// checkMode keeps a folder, or the tables of -aws, to one mode. Under -live they
// must not know the demo client. Once used with -live they are not taken
// without: a stand-in would be asked about real payments and know nothing of
// them.
func checkMode(ctx context.Context, o options, t table.Table, l *ledger.Ledger) error {
	place := fmt.Sprintf("folder %q", o.data)
	if o.aws {
		place = "the tables of -aws"
	}
	_, err := t.Get(ctx, liveKey)
	marked := err == nil
	if err != nil && !errors.Is(err, table.ErrNotFound) {
		return err
	}
	if !o.live {
		if marked {
			return fmt.Errorf("in %s are real payments: start with -live, or give another folder with -data", place)
		}
		return nil
	}
	if _, err := l.Client(ctx, demoClientID); !errors.Is(err, ledger.ErrNotFound) {
		return errors.Join(fmt.Errorf("-live: in %s is the demo client %s: give a new folder with -data", place, demoClientID), err)
	}
	switch c, err := l.ClientByKey(ctx, demoKey, time.Now()); {
	case err == nil:
		return fmt.Errorf("-live: client %s has the published key %s", c.ID, demoKey)
	case !errors.Is(err, ledger.ErrNotFound):
		return err
	}
	if !marked {
		if err := t.Write(ctx, table.Put(table.Record{Key: liveKey})); err != nil {
			return err
		}
	}
	if o.aws {
		return nil
	}
	return os.WriteFile(filepath.Join(o.data, "live"), nil, 0o600) // momoctl reads it
}
