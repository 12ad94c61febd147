-- Of an endpoint that fails: until then nothing more is sent to it, however much waits.
ALTER TABLE webhook_endpoints ADD COLUMN probe_at timestamptz;
