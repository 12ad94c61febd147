-- An allowance that was taken back before its end: what a till sells after that is not taken on any more.
ALTER TABLE offline_allowances ADD COLUMN revoked_at timestamptz;
