-- Saved lists of an operator: a name for the filters of a page.
CREATE TABLE saved_views (
    subject    text        NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 200),
    name       text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 60),
    query      text        NOT NULL CHECK (char_length(query) BETWEEN 1 AND 1000),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (subject, name)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON saved_views TO ${app_role};
