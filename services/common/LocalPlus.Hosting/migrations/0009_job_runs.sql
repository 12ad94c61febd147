-- When a scheduled job ran, how long and how it ended. One that was killed never says so: it stays as it began.
CREATE TABLE job_runs (
    run_id     uuid        NOT NULL PRIMARY KEY,
    name       text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    outcome    text        NOT NULL CHECK (outcome IN ('running', 'done', 'failed')),
    error      text        CHECK (char_length(error) <= 200),
    started_at timestamptz NOT NULL,
    ended_at   timestamptz CHECK ((outcome = 'running') = (ended_at IS NULL))
);
CREATE INDEX ix_job_runs_name_run_id ON job_runs (name, run_id DESC);
CREATE INDEX ix_job_runs_started_at ON job_runs (started_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON job_runs TO ${app_role};
