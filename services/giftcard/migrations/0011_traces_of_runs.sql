-- The trace of the request that decided a redemption, which its run goes on with. Rows of before have none.
ALTER TABLE redemption_runs ADD COLUMN traceparent text;
