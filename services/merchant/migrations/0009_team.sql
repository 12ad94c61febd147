-- A merchant's people: who they are is for their provider to say, what they may do is their role's.
CREATE TABLE team_members (
    team_member_id uuid        PRIMARY KEY,
    merchant_id    uuid        NOT NULL REFERENCES merchants,
    -- What the team calls them; no address, the provider has that.
    name           text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    role           text        NOT NULL CHECK (role IN ('owner', 'manager', 'cashier', 'accountant')),
    issuer         text        NOT NULL CHECK (char_length(issuer) BETWEEN 1 AND 300),
    subject        text        NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 200),
    version        bigint      NOT NULL CHECK (version > 0),
    created_at     timestamptz NOT NULL,
    removed_at     timestamptz
);

-- A person has one role in a team at a time; who was removed may come again.
CREATE UNIQUE INDEX ix_team_members_issuer_subject_merchant_id ON team_members (issuer, subject, merchant_id)
 WHERE removed_at IS NULL;

-- The list of a team, newest first.
CREATE INDEX ix_team_members_merchant_id_created_at ON team_members (merchant_id, created_at, team_member_id);

GRANT SELECT, INSERT, UPDATE (name, role, version, removed_at) ON team_members TO ${app_role};
