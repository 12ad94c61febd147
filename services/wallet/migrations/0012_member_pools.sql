-- Members of a programme who spend together, as a family does. Each has its own points and lots; who spends more than
-- it has is given the rest by the others first.
SET LOCAL lock_timeout = '2s';

CREATE TABLE member_pools (
    pool_id    uuid        PRIMARY KEY,
    program_id uuid        NOT NULL REFERENCES loyalty_programs,
    created_at timestamptz NOT NULL
);

CREATE TABLE member_pool_members (
    member_id uuid        PRIMARY KEY REFERENCES members,
    pool_id   uuid        NOT NULL REFERENCES member_pools,
    joined_at timestamptz NOT NULL
);
CREATE INDEX ix_member_pool_members_pool_id ON member_pool_members (pool_id, member_id);

GRANT SELECT, INSERT, UPDATE ON member_pools TO ${app_role};
GRANT SELECT, INSERT, DELETE ON member_pool_members TO ${app_role};
