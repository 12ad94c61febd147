-- Coalitions by consent: the issuer offers its rate, the other merchant accepts, declines or ends it. What was named before
-- anybody was asked is an offer now; its mode is known when the issuer sends its list again.
ALTER TABLE program_acceptances ADD COLUMN state text NOT NULL DEFAULT 'offered'
    CHECK (state IN ('offered', 'accepted', 'declined', 'ended'));
-- Test and live never meet: the mode of issuer and accepting merchant, which are one.
ALTER TABLE program_acceptances ADD COLUMN live boolean;
-- An ended acceptance is good until then.
ALTER TABLE program_acceptances ADD COLUMN ends_at timestamptz;
ALTER TABLE program_acceptances ADD COLUMN decided_at timestamptz;

-- Who agreed to which rate, and when: the terms between two merchants outlive the row that says what holds now.
CREATE TABLE acceptance_decisions (
    decision_id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    program_id              uuid        NOT NULL REFERENCES programs,
    merchant_id             uuid        NOT NULL,
    decision                text        NOT NULL
                            CHECK (decision IN ('offered', 'withdrawn', 'accepted', 'declined', 'ended')),
    commission_basis_points integer     NOT NULL,
    ends_at                 timestamptz,
    api_key_id              uuid        NOT NULL,
    occurred_at             timestamptz NOT NULL
);
CREATE INDEX ix_acceptance_decisions_program_id ON acceptance_decisions (program_id, merchant_id, decision_id);
CREATE TRIGGER acceptance_decisions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON acceptance_decisions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT UPDATE ON program_acceptances TO ${app_role};
GRANT SELECT, INSERT ON acceptance_decisions TO ${app_role};
