-- Each version of a merchant's notification settings, with who made it; as it was, for good.
CREATE TABLE notification_settings_versions (
    merchant_id uuid        NOT NULL,
    version     bigint      NOT NULL CHECK (version > 0),
    -- key or person; unknown: set before versions were kept.
    actor_kind  text        NOT NULL CHECK (actor_kind IN ('key', 'person', 'unknown')),
    actor       text        CHECK (char_length(actor) BETWEEN 1 AND 200),
    time_zone   text,
    quiet_from  smallint,
    quiet_until smallint,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, version),
    CHECK ((actor IS NULL) = (actor_kind = 'unknown'))
);

INSERT INTO notification_settings_versions (merchant_id, version, actor_kind, time_zone, quiet_from, quiet_until,
       created_at)
SELECT merchant_id, version, 'unknown', time_zone, quiet_from, quiet_until, updated_at
  FROM notification_settings;

GRANT SELECT, INSERT ON notification_settings_versions TO ${app_role};

SELECT lock_rows('notification_settings_versions', '${app_role}');
