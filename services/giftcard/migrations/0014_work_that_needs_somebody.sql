-- Every kind of work that is tried again says what went wrong with it, and when a person should look.
ALTER TABLE redemption_refunds ADD COLUMN drive_error text;
ALTER TABLE redemption_refunds ADD COLUMN needs_attention boolean NOT NULL DEFAULT false;
ALTER TABLE card_operations ADD COLUMN drive_error text;
ALTER TABLE card_operations ADD COLUMN needs_attention boolean NOT NULL DEFAULT false;
ALTER TABLE offline_items ADD COLUMN drive_error text;
ALTER TABLE offline_items ADD COLUMN needs_attention boolean NOT NULL DEFAULT false;

-- An operator decided that nobody is told of this redemption.
ALTER TABLE redemptions ADD COLUMN skip_notify boolean NOT NULL DEFAULT false;

-- A refusal is an answer and no run, but one that nobody expected is seen by operators.
CREATE OR REPLACE VIEW run_view AS
SELECT r.redemption_id,
       r.merchant_id,
       r.reference,
       r.state           AS redemption_state,
       r.mode,
       r.currency,
       r.requested,
       r.approved,
       r.captured,
       r.refunded,
       r.decision,
       r.hold_expires_at,
       r.needs_attention,
       r.drive_attempts,
       r.drive_error,
       r.created_at,
       r.updated_at,
       n.generation,
       n.instance_id,
       n.state           AS run_state,
       n.engine,
       n.step,
       n.attempts        AS run_attempts,
       n.last_error      AS run_error,
       n.due_at,
       n.started_at,
       n.seen_at,
       n.finished_at,
       CASE
           WHEN r.needs_attention THEN 'parked'
           WHEN n.state IN ('failed', 'lost') THEN 'stuck'
           WHEN n.attempts > 0 OR r.drive_attempts > 0 AND r.drive_after IS NOT NULL THEN 'retrying'
           WHEN n.state IN ('finished', 'terminated') OR r.state = 'refused' THEN 'ok'
           WHEN n.state = 'suspended' THEN 'suspended'
           ELSE 'waiting'
       END               AS health
  FROM redemptions r
  LEFT JOIN redemption_runs n
    ON n.redemption_id = r.redemption_id
   AND n.generation = r.run_generation
 WHERE r.state <> 'refused'
    OR r.fault_code = 'operation_failed';
