-- The operators' list is asked most for what is wrong, which is rare among all there is.
CREATE INDEX ix_redemption_runs_stuck ON redemption_runs (created_at DESC) WHERE state IN ('failed', 'lost');
CREATE INDEX ix_redemption_runs_suspended ON redemption_runs (created_at DESC) WHERE state = 'suspended';
