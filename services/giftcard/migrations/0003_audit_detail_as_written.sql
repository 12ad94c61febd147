-- The audit chain hashes what was written: json keeps the text, jsonb would write it anew.
ALTER TABLE operator_actions ALTER COLUMN detail TYPE json USING detail::json;
