-- Earning rules: data with versions and validity, and what each has given.

CREATE TABLE earning_rules (
    rule_id      uuid        PRIMARY KEY,
    program_id   uuid        NOT NULL REFERENCES loyalty_programs,
    merchant_id  uuid        NOT NULL,
    name         text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    state        text        NOT NULL CHECK (state IN ('active', 'closed')),
    -- Rules/RuleDefinition.cs.
    definition   jsonb       NOT NULL,
    valid_from   timestamptz NOT NULL,
    valid_to     timestamptz CHECK (valid_to > valid_from),
    -- Of a campaign: all the points that it may give. Racing tills meet here, and the check has the last word.
    budget       bigint      CHECK (budget > 0),
    budget_spent bigint      NOT NULL DEFAULT 0 CHECK (budget_spent >= 0),
    version      bigint      NOT NULL CHECK (version > 0),
    created_at   timestamptz NOT NULL,
    CHECK (budget_spent <= budget)
);
CREATE INDEX ix_earning_rules_program_id_created_at ON earning_rules (program_id, created_at, rule_id);

-- What a rule said when: a purchase that is told late is judged by what was in force when it happened.
CREATE TABLE earning_rule_versions (
    rule_id    uuid        NOT NULL REFERENCES earning_rules,
    version    bigint      NOT NULL,
    name       text        NOT NULL,
    state      text        NOT NULL,
    definition jsonb       NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (rule_id, version)
);
CREATE TRIGGER earning_rule_versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON earning_rule_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What a rule has given a member on a local day (counted from the year 1); what the caps are held against.
CREATE TABLE earning_rule_uses (
    rule_id    uuid    NOT NULL REFERENCES earning_rules,
    member_id  uuid    NOT NULL REFERENCES members,
    day_number integer NOT NULL,
    points     bigint  NOT NULL CHECK (points >= 0),
    PRIMARY KEY (member_id, rule_id, day_number)
);

GRANT SELECT, INSERT ON earning_rule_versions TO ${app_role};
GRANT SELECT, INSERT, UPDATE ON earning_rules, earning_rule_uses TO ${app_role};
