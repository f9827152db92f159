package sqlite

// schema: sort and partition compare bytewise (BINARY is the default). The
// record carries its index entries too, so that one row is the whole record;
// main_index is what they make findable, and triggers keep it in step with
// the records, deleted by anybody.
const schema = `
CREATE TABLE IF NOT EXISTS main_records (
	"partition" TEXT    NOT NULL,
	sort        TEXT    NOT NULL,
	version     INTEGER NOT NULL,
	attributes  TEXT    NOT NULL, -- JSON
	indexes     TEXT    NOT NULL, -- JSON: {"<index>": ["<partition>", "<sort>"]}
	expires_at  INTEGER,          -- Unix seconds
	PRIMARY KEY ("partition", sort)
) STRICT;
CREATE INDEX IF NOT EXISTS main_records_expiry ON main_records (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS audit_records (
	"partition" TEXT    NOT NULL,
	sort        TEXT    NOT NULL,
	version     INTEGER NOT NULL,
	attributes  TEXT    NOT NULL,
	indexes     TEXT    NOT NULL, -- always {}
	expires_at  INTEGER,
	PRIMARY KEY ("partition", sort)
) STRICT;
CREATE INDEX IF NOT EXISTS audit_records_expiry ON audit_records (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS main_index (
	name             TEXT NOT NULL,
	index_partition  TEXT NOT NULL,
	index_sort       TEXT NOT NULL,
	"partition"      TEXT NOT NULL,
	sort             TEXT NOT NULL,
	PRIMARY KEY (name, index_partition, index_sort, "partition", sort)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS main_index_record ON main_index ("partition", sort);

CREATE TRIGGER IF NOT EXISTS main_index_insert AFTER INSERT ON main_records WHEN new.indexes <> '{}' BEGIN
	INSERT INTO main_index SELECT key, value ->> 0, value ->> 1, new."partition", new.sort FROM json_each(new.indexes);
END;
CREATE TRIGGER IF NOT EXISTS main_index_update AFTER UPDATE OF indexes ON main_records WHEN new.indexes <> old.indexes BEGIN
	DELETE FROM main_index WHERE "partition" = old."partition" AND sort = old.sort;
	INSERT INTO main_index SELECT key, value ->> 0, value ->> 1, new."partition", new.sort FROM json_each(new.indexes);
END;
CREATE TRIGGER IF NOT EXISTS main_index_delete AFTER DELETE ON main_records WHEN old.indexes <> '{}' BEGIN
	DELETE FROM main_index WHERE "partition" = old."partition" AND sort = old.sort;
END;
`
