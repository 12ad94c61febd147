-- Loyalty programmes, the merchants that earn under them by consent, and their members.

CREATE TABLE loyalty_programs (
    program_id  uuid        PRIMARY KEY,
    merchant_id uuid        NOT NULL,
    -- Test and live never meet: the mode of the key that made it.
    live        boolean     NOT NULL,
    name        text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    currency    char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    state       text        NOT NULL CHECK (state IN ('active', 'closed')),
    -- Programs/LoyaltyTerms.cs; what a point costs, is worth, and how long it lasts.
    terms       jsonb       NOT NULL,
    reference   text        CHECK (char_length(reference) BETWEEN 1 AND 255),
    version     bigint      NOT NULL CHECK (version > 0),
    created_at  timestamptz NOT NULL,
    UNIQUE (merchant_id, reference)
);
CREATE INDEX ix_loyalty_programs_merchant_id_created_at ON loyalty_programs (merchant_id, created_at, program_id);

-- The terms of each version: what was earned names the version that it was earned by.
CREATE TABLE loyalty_program_versions (
    program_id uuid        NOT NULL REFERENCES loyalty_programs,
    version    bigint      NOT NULL,
    terms      jsonb       NOT NULL,
    valid_from timestamptz NOT NULL,
    PRIMARY KEY (program_id, version)
);

-- The merchants that an issuer wants its points to be earned at, and what each says to it.
CREATE TABLE loyalty_partners (
    program_id           uuid        NOT NULL REFERENCES loyalty_programs,
    merchant_id          uuid        NOT NULL,
    -- Of the value of what is earned there, so much is the partner's to pay.
    funding_basis_points integer     NOT NULL CHECK (funding_basis_points BETWEEN 0 AND 10000),
    live                 boolean     NOT NULL,
    state                text        NOT NULL CHECK (state IN ('offered', 'accepted', 'declined', 'ended')),
    ends_at              timestamptz,
    decided_at           timestamptz,
    PRIMARY KEY (program_id, merchant_id)
);
CREATE INDEX ix_loyalty_partners_merchant_id ON loyalty_partners (merchant_id, program_id);

-- Who agreed to which rate, and when.
CREATE TABLE loyalty_partner_decisions (
    decision_id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    program_id           uuid        NOT NULL REFERENCES loyalty_programs,
    merchant_id          uuid        NOT NULL,
    decision             text        NOT NULL
                         CHECK (decision IN ('offered', 'withdrawn', 'accepted', 'declined', 'ended')),
    funding_basis_points integer     NOT NULL,
    ends_at              timestamptz,
    api_key_id           uuid        NOT NULL,
    occurred_at          timestamptz NOT NULL
);
CREATE INDEX ix_loyalty_partner_decisions_program_id
    ON loyalty_partner_decisions (program_id, merchant_id, decision_id);

-- A person in a programme. What finds the person is a keyed hash, as with customers; nothing here can be read back.
CREATE TABLE members (
    member_id     uuid        PRIMARY KEY,
    program_id    uuid        NOT NULL REFERENCES loyalty_programs,
    -- The programme's merchant; enrolled_by may be a partner.
    merchant_id   uuid        NOT NULL,
    enrolled_by   uuid        NOT NULL,
    card_number   text        NOT NULL CHECK (char_length(card_number) = 12),
    customer_id   uuid        REFERENCES customers,
    email_lookup  bytea       CHECK (octet_length(email_lookup) = 32),
    phone_lookup  bytea       CHECK (octet_length(phone_lookup) = 32),
    birth_month   smallint    CHECK (birth_month BETWEEN 1 AND 12),
    state         text        NOT NULL CHECK (state IN ('active', 'left', 'merged')),
    merged_into   uuid        REFERENCES members,
    tier          text,
    -- When the tier is looked at again; null: it has none to lose.
    tier_until    timestamptz,
    -- What may be spent, what waits for its time, and what was taken back beyond what there was.
    points        bigint      NOT NULL DEFAULT 0 CHECK (points >= 0),
    pending       bigint      NOT NULL DEFAULT 0 CHECK (pending >= 0),
    owed          bigint      NOT NULL DEFAULT 0 CHECK (owed >= 0),
    purchases     bigint      NOT NULL DEFAULT 0 CHECK (purchases >= 0),
    -- Counts every change; the sequence of wallet.members.v1 and of the member's movements.
    version       bigint      NOT NULL CHECK (version > 0),
    created_at    timestamptz NOT NULL,
    UNIQUE (program_id, card_number),
    UNIQUE (program_id, email_lookup),
    UNIQUE (program_id, phone_lookup),
    UNIQUE (program_id, customer_id),
    CHECK ((state = 'merged') = (merged_into IS NOT NULL))
);
CREATE INDEX ix_members_program_id_created_at ON members (program_id, created_at, member_id);
CREATE INDEX ix_members_merchant_id_member_id ON members (merchant_id, member_id);
CREATE INDEX ix_members_customer_id ON members (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX ix_members_merged_into ON members (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX ix_members_tier_until ON members (tier_until) WHERE tier_until IS NOT NULL;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER loyalty_program_versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON loyalty_program_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER loyalty_partner_decisions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON loyalty_partner_decisions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON loyalty_program_versions, loyalty_partner_decisions TO ${app_role};
GRANT SELECT, INSERT, UPDATE ON loyalty_programs, members TO ${app_role};
GRANT SELECT, INSERT, UPDATE, DELETE ON loyalty_partners TO ${app_role};
