-- What merchants write in place of the templates that everybody has.
CREATE TABLE notification_templates (
    merchant_id uuid        NOT NULL,
    kind        text        NOT NULL CHECK (kind ~ '^[a-z_]{1,40}$'),
    locale      text        NOT NULL CHECK (locale ~ '^[a-z]{2}$'),
    -- Without a subject it is the default again; the row stays, so that its version goes on.
    subject     text        CHECK (char_length(subject) BETWEEN 1 AND 200),
    html        text        CHECK (char_length(html) BETWEEN 1 AND 65536),
    text        text        CHECK (char_length(text) BETWEEN 1 AND 16384),
    sms         text        CHECK (char_length(sms) BETWEEN 1 AND 480),
    version     bigint      NOT NULL CHECK (version > 0),
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, kind, locale),
    CHECK ((subject IS NULL) = (html IS NULL)),
    CHECK ((subject IS NULL) = (text IS NULL)),
    CHECK (subject IS NOT NULL OR sms IS NULL)
);

-- When a merchant's readers are left in peace who said nothing themselves.
CREATE TABLE notification_settings (
    merchant_id uuid        PRIMARY KEY,
    time_zone   text        CHECK (char_length(time_zone) BETWEEN 1 AND 64),
    -- Minutes of the day; until may be the next morning's.
    quiet_from  smallint    CHECK (quiet_from BETWEEN 0 AND 1439),
    quiet_until smallint    CHECK (quiet_until BETWEEN 0 AND 1439),
    version     bigint      NOT NULL CHECK (version > 0),
    updated_at  timestamptz NOT NULL,
    CHECK ((quiet_from IS NULL) = (quiet_until IS NULL))
);

-- What readers want, by a keyed hash of where they are written to: no address is stored.
CREATE TABLE notification_recipients (
    merchant_id  uuid        NOT NULL,
    address_hash bytea       NOT NULL CHECK (octet_length(address_hash) = 32),
    -- Whose address it was, so that what is kept goes with the person.
    customer_id  uuid        NOT NULL,
    -- Kinds that this reader does not get any more, and those that come as SMS too.
    declined     text[]      NOT NULL,
    sms_kinds    text[]      NOT NULL,
    time_zone    text        CHECK (char_length(time_zone) BETWEEN 1 AND 64),
    quiet_from   smallint    CHECK (quiet_from BETWEEN 0 AND 1439),
    quiet_until  smallint    CHECK (quiet_until BETWEEN 0 AND 1439),
    version      bigint      NOT NULL CHECK (version > 0),
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, address_hash),
    CHECK ((quiet_from IS NULL) = (quiet_until IS NULL))
);

CREATE INDEX ix_notification_recipients_customer_id ON notification_recipients (customer_id);

-- Addresses to which nothing is sent, until the merchant lifts it.
CREATE TABLE notification_suppressions (
    suppression_id uuid        PRIMARY KEY,
    merchant_id    uuid        NOT NULL,
    channel        text        NOT NULL CHECK (channel IN ('mail', 'sms')),
    address_hash   bytea       NOT NULL CHECK (octet_length(address_hash) = 32),
    masked_address text        NOT NULL CHECK (char_length(masked_address) BETWEEN 3 AND 254),
    customer_id    uuid        NOT NULL,
    reason         text        NOT NULL CHECK (reason IN ('bounced', 'complained', 'merchant')),
    -- What the mail server said, as a number; never its words.
    smtp_status    smallint    CHECK (smtp_status BETWEEN 500 AND 599),
    created_at     timestamptz NOT NULL,
    UNIQUE (merchant_id, channel, address_hash)
);

CREATE INDEX ix_notification_suppressions_merchant_id_created_at
    ON notification_suppressions (merchant_id, created_at, suppression_id);

CREATE INDEX ix_notification_suppressions_customer_id ON notification_suppressions (customer_id);

-- How many messages went out in a window of time, to one address or of one merchant.
CREATE TABLE notification_counts (
    merchant_id  uuid        NOT NULL,
    -- A hash of an address; nothing for all of the merchant's.
    subject      bytea       NOT NULL,
    limit_name   text        NOT NULL CHECK (limit_name ~ '^[a-z_]{1,40}$'),
    window_start timestamptz NOT NULL,
    taken        integer     NOT NULL CHECK (taken >= 0),
    PRIMARY KEY (merchant_id, subject, limit_name, window_start)
) WITH (fillfactor = 50);

CREATE INDEX ix_notification_counts_window_start ON notification_counts (window_start);

ALTER TABLE notifications ADD COLUMN channel text NOT NULL DEFAULT 'mail';
ALTER TABLE notifications ADD CONSTRAINT notifications_channel CHECK (channel IN ('mail', 'sms')) NOT VALID;
-- Attempts that sent nothing because it was not the time.
ALTER TABLE notifications ADD COLUMN deferrals integer NOT NULL DEFAULT 0;
ALTER TABLE notifications ADD COLUMN address_hash bytea;
ALTER TABLE notifications ADD CONSTRAINT notifications_address_hash
    CHECK (octet_length(address_hash) = 32) NOT VALID;
-- What a merchant tries on itself.
ALTER TABLE notifications ADD COLUMN sample_kind text;
ALTER TABLE notifications ADD COLUMN sample_locale text;
ALTER TABLE notifications ADD COLUMN sample_to text;
ALTER TABLE notifications ADD CONSTRAINT notifications_sample CHECK (
    (kind = 'template_test') = (sample_kind IS NOT NULL)
    AND (sample_kind IS NULL) = (sample_locale IS NULL)
    AND (sample_kind IS NULL) = (sample_to IS NULL)
    AND sample_to IN ('contact', 'support')) NOT VALID;
ALTER TABLE notifications DROP CONSTRAINT notifications_to_merchants;
ALTER TABLE notifications ADD CONSTRAINT notifications_to_merchants CHECK (
    (kind IN ('merchant_welcome', 'template_test', 'webhook_failing', 'webhook_gone')) = (gift_card_id IS NULL))
    NOT VALID;
ALTER TABLE notifications DROP CONSTRAINT notifications_kind_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_kind_check CHECK (kind IN
    ('gift_card_activated', 'gift_card_delivery', 'gift_card_pin_locked', 'merchant_welcome', 'redemption_completed',
     'redemption_refunded', 'template_test', 'webhook_failing', 'webhook_gone')) NOT VALID;

GRANT SELECT, INSERT, UPDATE ON notification_templates, notification_settings TO ${app_role};
GRANT SELECT, INSERT, UPDATE, DELETE ON notification_recipients, notification_suppressions, notification_counts
    TO ${app_role};
