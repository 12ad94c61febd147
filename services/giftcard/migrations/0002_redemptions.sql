-- Redemptions, their refunds, their timeline and the workflow runs behind them.

CREATE TABLE redemptions (
    redemption_id      uuid        NOT NULL PRIMARY KEY,
    -- Where it is spent, and in whose ledger books: a card of a coalition is spent at another merchant than its issuer.
    merchant_id        uuid        NOT NULL,
    books_merchant_id  uuid        NOT NULL,
    state              text        NOT NULL CHECK (state IN (
                           'authorizing', 'held', 'confirming', 'releasing', 'completed', 'partially_refunded',
                           'refunded', 'cancelled', 'expired', 'refused')),
    mode               text        NOT NULL CHECK (mode IN ('immediate', 'two_phase')),
    partial            text        NOT NULL CHECK (partial IN ('allow', 'refuse')),
    reference          text        CHECK (char_length(reference) BETWEEN 1 AND 255),
    currency           char(3)     NOT NULL,
    requested          bigint      NOT NULL CHECK (requested > 0),
    approved           bigint      NOT NULL DEFAULT 0 CHECK (approved BETWEEN 0 AND requested),
    captured           bigint      NOT NULL DEFAULT 0 CHECK (captured BETWEEN 0 AND approved),
    -- Refunds that are done or under way: never more than was captured.
    refunded           bigint      NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND captured),
    payable_account_id uuid        NOT NULL,
    location_id        uuid,
    terminal_id        uuid,
    metadata           jsonb,
    hold_id            uuid,
    hold_expires_at    timestamptz,
    transaction_id     uuid,
    -- The till's, the operator's or the clock's decision, committed before the ledger is asked to carry it out.
    decision           text        CHECK (decision IN ('confirm', 'cancel', 'expire')),
    decision_amount    bigint,
    decided_by         text,
    fault_code         text,
    fault_detail       text,
    -- For insufficient_balance: what there was when the ledger refused.
    fault_available    bigint,
    needs_attention    boolean     NOT NULL DEFAULT false,
    idempotency_key    text,
    -- When the sweeper may take an unfinished step over; null when no step is open.
    drive_after        timestamptz,
    drive_attempts     integer     NOT NULL DEFAULT 0,
    drive_error        text,
    run_generation     integer     NOT NULL DEFAULT 0,
    version            bigint      NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    CHECK ((state IN ('authorizing', 'confirming', 'releasing')) = (drive_after IS NOT NULL)),
    CHECK (decision IS NOT NULL OR state NOT IN ('confirming', 'releasing'))
);
CREATE INDEX ix_redemptions_merchant_id_created_at ON redemptions (merchant_id, created_at DESC, redemption_id DESC);
-- The operators' list runs over all merchants.
CREATE INDEX ix_redemptions_created_at ON redemptions (created_at DESC, redemption_id DESC);
-- For ever unique, but a refusal does not use the reference up: the till may try another card for the same ticket.
CREATE UNIQUE INDEX ix_redemptions_merchant_id_reference ON redemptions (merchant_id, reference)
    WHERE reference IS NOT NULL AND state <> 'refused';
CREATE INDEX ix_redemptions_drive_after ON redemptions (drive_after) WHERE drive_after IS NOT NULL;
CREATE INDEX ix_redemptions_hold_expires_at ON redemptions (hold_expires_at) WHERE state = 'held';
CREATE INDEX ix_redemptions_needs_attention ON redemptions (updated_at) WHERE needs_attention;

-- One row per value lot that may pay, in spend order.
CREATE TABLE redemption_legs (
    redemption_id   uuid    NOT NULL REFERENCES redemptions,
    position        integer NOT NULL,
    gift_card_id    uuid    NOT NULL REFERENCES gift_cards,
    last4           char(4) NOT NULL,
    lot_id          uuid    NOT NULL REFERENCES gift_card_lots,
    account_id      uuid    NOT NULL,
    max_amount      bigint  NOT NULL CHECK (max_amount >= 0),
    held            bigint  NOT NULL DEFAULT 0,
    captured        bigint  NOT NULL DEFAULT 0,
    refunded        bigint  NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND captured),
    available_after bigint,
    PRIMARY KEY (redemption_id, position)
);
CREATE INDEX ix_redemption_legs_gift_card_id ON redemption_legs (gift_card_id, redemption_id);

CREATE TABLE redemption_refunds (
    refund_id       uuid        NOT NULL PRIMARY KEY,
    redemption_id   uuid        NOT NULL REFERENCES redemptions,
    merchant_id     uuid        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('pending', 'completed', 'refused')),
    amount          bigint      NOT NULL CHECK (amount > 0),
    currency        char(3)     NOT NULL,
    legs            jsonb       NOT NULL,
    reference       text        CHECK (char_length(reference) BETWEEN 1 AND 255),
    reason          text        CHECK (char_length(reason) BETWEEN 1 AND 500),
    transaction_id  uuid,
    fault_code      text,
    idempotency_key text,
    drive_after     timestamptz,
    drive_attempts  integer     NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    CHECK ((state = 'pending') = (drive_after IS NOT NULL))
);
CREATE INDEX ix_redemption_refunds_redemption_id ON redemption_refunds (redemption_id, created_at);
CREATE UNIQUE INDEX ix_redemption_refunds_merchant_id_reference ON redemption_refunds (merchant_id, reference)
    WHERE reference IS NOT NULL AND state <> 'refused';
CREATE INDEX ix_redemption_refunds_drive_after ON redemption_refunds (drive_after) WHERE drive_after IS NOT NULL;

-- The truth about what happened and when; the engine's history is only attached to it.
CREATE TABLE redemption_events (
    event_id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    redemption_id uuid        NOT NULL REFERENCES redemptions,
    kind          text        NOT NULL,
    actor         text        NOT NULL,
    detail        jsonb,
    occurred_at   timestamptz NOT NULL
);
CREATE INDEX ix_redemption_events_redemption_id ON redemption_events (redemption_id, event_id);
CREATE TRIGGER redemption_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON redemption_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- One row per generation of a redemption's run; 'pending' rows are what the starter still has to hand to the engine.
CREATE TABLE redemption_runs (
    redemption_id uuid        NOT NULL REFERENCES redemptions,
    generation    integer     NOT NULL CHECK (generation > 0),
    merchant_id   uuid        NOT NULL,
    instance_id   text        NOT NULL UNIQUE,
    state         text        NOT NULL CHECK (state IN (
                      'pending', 'started', 'waiting', 'suspended', 'finished', 'failed', 'lost', 'terminated')),
    engine        text        NOT NULL CHECK (engine IN ('dapr', 'inline')),
    immediate     boolean     NOT NULL,
    step          text        NOT NULL,
    attempts      integer     NOT NULL DEFAULT 0,
    last_error    text,
    due_at        timestamptz NOT NULL,
    created_at    timestamptz NOT NULL,
    started_at    timestamptz,
    seen_at       timestamptz,
    finished_at   timestamptz,
    PRIMARY KEY (redemption_id, generation)
);
CREATE INDEX ix_redemption_runs_due_at ON redemption_runs (due_at) WHERE state = 'pending';
-- What the reconciler and the operators look through: runs that are not over, by when they should have moved.
CREATE INDEX ix_redemption_runs_open ON redemption_runs (due_at) WHERE state IN ('started', 'waiting', 'suspended');
CREATE INDEX ix_redemption_runs_created_at ON redemption_runs (created_at DESC, redemption_id DESC);

CREATE TABLE redemption_run_steps (
    redemption_id    uuid        NOT NULL,
    generation       integer     NOT NULL,
    step             text        NOT NULL,
    state            text        NOT NULL CHECK (state IN ('running', 'done', 'failed', 'skipped')),
    attempts         integer     NOT NULL,
    last_error       text,
    first_started_at timestamptz NOT NULL,
    last_started_at  timestamptz NOT NULL,
    finished_at      timestamptz,
    PRIMARY KEY (redemption_id, generation, step),
    FOREIGN KEY (redemption_id, generation) REFERENCES redemption_runs
);

-- Every verb an operator used, with its reason; each row is chained to the one before it.
CREATE TABLE operator_actions (
    action_id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    redemption_id uuid,
    verb          text        NOT NULL,
    subject       text        NOT NULL,
    role          text        NOT NULL,
    reason        text        NOT NULL CHECK (char_length(reason) BETWEEN 3 AND 500),
    detail        jsonb       NOT NULL,
    occurred_at   timestamptz NOT NULL,
    previous_hash bytea       NOT NULL,
    hash          bytea       NOT NULL
);
CREATE INDEX ix_operator_actions_redemption_id ON operator_actions (redemption_id, action_id);
CREATE TRIGGER operator_actions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_actions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What the operators' list shows, one row per redemption: the newest run beside the redemption's own state.
CREATE VIEW run_view AS
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
           WHEN n.state IN ('finished', 'terminated') THEN 'ok'
           WHEN n.state = 'suspended' THEN 'suspended'
           ELSE 'waiting'
       END               AS health
  FROM redemptions r
  LEFT JOIN redemption_runs n
    ON n.redemption_id = r.redemption_id
   AND n.generation = r.run_generation
 WHERE r.state <> 'refused';

GRANT SELECT, INSERT, UPDATE ON redemptions, redemption_legs, redemption_refunds, redemption_runs, redemption_run_steps
   TO ${app_role};
GRANT SELECT, INSERT ON redemption_events, operator_actions TO ${app_role};
GRANT SELECT ON run_view TO ${app_role};
