-- Messages to people and what became of them. No address, name or card code is stored: the address is asked for at the
-- moment of sending and kept only in masked form.

CREATE TABLE notifications (
    notification_id uuid        PRIMARY KEY,
    merchant_id     uuid        NOT NULL,
    -- One event makes one message, however often it is delivered.
    event_id        uuid        NOT NULL UNIQUE,
    kind            text        NOT NULL CHECK (kind IN
                        ('gift_card_activated', 'merchant_welcome', 'redemption_completed', 'redemption_refunded')),
    -- The card whose holder is written to; none for a message to the merchant.
    gift_card_id    uuid        CHECK ((kind = 'merchant_welcome') = (gift_card_id IS NULL)),
    redemption_id   uuid,
    amount          bigint      CHECK (amount > 0 AND amount < 9007199254740992),
    currency        char(3)     CHECK (currency ~ '^[A-Z]{3}$'),
    state           text        NOT NULL CHECK (state IN ('pending', 'sent', 'skipped', 'dead')),
    masked_address  text        CHECK (char_length(masked_address) BETWEEN 3 AND 254),
    attempts        integer     NOT NULL CHECK (attempts >= 0),
    -- When a sender may take it (again); a sender that dies mid-way loses its claim then.
    due_at          timestamptz CHECK ((state = 'pending') = (due_at IS NOT NULL)),
    last_error      text        CHECK (last_error ~ '^[a-z_]{1,40}$'),
    created_at      timestamptz NOT NULL,
    sent_at         timestamptz CHECK ((state = 'sent') <= (sent_at IS NOT NULL)),
    CHECK ((amount IS NULL) = (currency IS NULL))
);

-- What is due, oldest first; pending rows are few, so the index stays small.
CREATE INDEX ix_notifications_due_at ON notifications (due_at) WHERE state = 'pending';

-- A merchant's list, newest first.
CREATE INDEX ix_notifications_merchant_id_created_at ON notifications (merchant_id, created_at, notification_id);

-- Who holds which card, from the cards' events: redemptions name cards only. An absent row means that the card's event
-- has not come yet, a row without customer that nobody is to be written to.
CREATE TABLE card_holders (
    gift_card_id uuid   PRIMARY KEY,
    merchant_id  uuid   NOT NULL,
    customer_id  uuid,
    last4        text   NOT NULL CHECK (char_length(last4) = 4),
    -- Sequence of the event that this row was last written from; older ones change nothing.
    sequence     bigint NOT NULL CHECK (sequence > 0)
);

-- What operators did by hand, with their reason.
CREATE TABLE notification_resends (
    notification_id uuid        NOT NULL REFERENCES notifications,
    operator        text        NOT NULL CHECK (char_length(operator) BETWEEN 1 AND 200),
    reason          text        NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 500),
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (notification_id, created_at)
);

GRANT SELECT, INSERT, UPDATE ON notifications, card_holders TO ${app_role};
GRANT SELECT, INSERT ON notification_resends TO ${app_role};
