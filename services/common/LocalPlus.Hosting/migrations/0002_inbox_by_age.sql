-- Housekeeping reads the inbox by age. Rows come in that order, so an entry costs next to nothing: it goes to the last page.
-- No block ranges (BRIN): their least values are never raised when rows are deleted, so once the table has been round, and new
-- rows lie where old ones did, every range seems to have rows to delete.
CREATE INDEX ix_inbox_events_received_at ON inbox_events (received_at);
