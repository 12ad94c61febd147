-- Who decided about a dead letter and why; how often it was refused, so that a replay knows whether it was again.
ALTER TABLE dead_letters ADD COLUMN refusals integer NOT NULL DEFAULT 1 CHECK (refusals > 0);
ALTER TABLE dead_letters ADD COLUMN decided_at timestamptz;
ALTER TABLE dead_letters ADD COLUMN decided_by text;
ALTER TABLE dead_letters ADD COLUMN decision_reason text CHECK (char_length(decision_reason) BETWEEN 3 AND 500);
