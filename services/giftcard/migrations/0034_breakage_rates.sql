-- What share of a programme's value its issuer expects that nobody will spend, month by month: a month without a row has the
-- rate of the month before it. Months that are over stay as they are, and with them what was recognised in them.
CREATE TABLE breakage_rates (
    program_id            uuid        NOT NULL REFERENCES programs,
    month                 date        NOT NULL CHECK (extract(day FROM month) = 1),
    -- Null: what the programme's own old cards show.
    expected_basis_points integer     CHECK (expected_basis_points BETWEEN 0 AND 9999),
    set_at                timestamptz NOT NULL,
    PRIMARY KEY (program_id, month)
);

GRANT SELECT, INSERT, UPDATE ON breakage_rates TO ${app_role};

SELECT lock_rows('breakage_rates', '${app_role}',
    'SELECT p.merchant_id FROM programs p WHERE p.program_id = breakage_rates.program_id');
