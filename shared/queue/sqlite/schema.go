package sqlite

// schema is what an operator sees with the sqlite3 command: queue_overview
// tells each message's state in words. Times are Unix milliseconds.
const schema = `
CREATE TABLE IF NOT EXISTS queue_messages (
	number      INTEGER PRIMARY KEY AUTOINCREMENT,
	queue       TEXT    NOT NULL,
	id          TEXT    NOT NULL UNIQUE,
	body        TEXT    NOT NULL,
	group_name  TEXT    NOT NULL,
	sent_at     INTEGER NOT NULL,
	visible_at  INTEGER NOT NULL,
	receives    INTEGER NOT NULL DEFAULT 0,
	dead_at     INTEGER
);
CREATE INDEX IF NOT EXISTS queue_messages_visible
	ON queue_messages (queue, group_name, visible_at, number) WHERE dead_at IS NULL;
CREATE INDEX IF NOT EXISTS queue_messages_due
	ON queue_messages (queue, visible_at, receives) WHERE dead_at IS NULL;
CREATE INDEX IF NOT EXISTS queue_messages_dead
	ON queue_messages (queue, dead_at) WHERE dead_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS queue_groups (
	queue       TEXT    NOT NULL,
	group_name  TEXT    NOT NULL,
	turn        INTEGER NOT NULL DEFAULT 0, -- of its latest receive
	PRIMARY KEY (queue, group_name)
) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS queue_overview AS
	SELECT queue, id, group_name, body, receives,
		CASE
			WHEN dead_at IS NOT NULL THEN 'dead'
			WHEN visible_at <= unixepoch('subsec') * 1000 THEN 'visible'
			WHEN receives = 0 THEN 'delayed'
			ELSE 'in flight'
		END AS state,
		strftime('%Y-%m-%dT%H:%M:%fZ', sent_at / 1000.0, 'unixepoch') AS sent,
		strftime('%Y-%m-%dT%H:%M:%fZ', visible_at / 1000.0, 'unixepoch') AS visible,
		strftime('%Y-%m-%dT%H:%M:%fZ', dead_at / 1000.0, 'unixepoch') AS died
	FROM queue_messages;
`
