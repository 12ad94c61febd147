-- What mail servers and providers reported of mails that were sent: by what, not by whom. The same report is taken once.
CREATE TABLE notification_reports (
    report_hash     bytea       PRIMARY KEY CHECK (octet_length(report_hash) = 32),
    notification_id uuid        NOT NULL REFERENCES notifications,
    kind            text        NOT NULL CHECK (kind IN ('complaint', 'hard', 'refused', 'soft')),
    -- As RFC 3463 has it; none for a complaint.
    status          text        CHECK (status ~ '^[245]\.[0-9]{1,3}\.[0-9]{1,3}$'),
    received_at     timestamptz NOT NULL
);

CREATE INDEX ix_notification_reports_notification_id ON notification_reports (notification_id);
CREATE INDEX ix_notification_reports_received_at ON notification_reports (received_at);

GRANT SELECT, INSERT, DELETE ON notification_reports TO ${app_role};

SELECT lock_rows('notification_reports', '${app_role}',
    'SELECT p.merchant_id FROM notifications p WHERE p.notification_id = notification_reports.notification_id');
