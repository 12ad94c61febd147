-- The day that a claim on a key is filed under (Http/KeyFile.cs of LocalPlus.Hosting); of those that the previous release
-- writes, the present.
ALTER TABLE idempotency_claims ADD COLUMN filed_at timestamptz NOT NULL DEFAULT now();
