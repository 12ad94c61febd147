-- Not every message is JSON that jsonb can hold. The previous release goes on writing payload.
ALTER TABLE dead_letters ALTER COLUMN payload DROP NOT NULL;
ALTER TABLE dead_letters ADD COLUMN body bytea;
ALTER TABLE dead_letters ADD COLUMN reason text CHECK (char_length(reason) BETWEEN 1 AND 200);
ALTER TABLE dead_letters ADD CONSTRAINT dead_letters_payload_or_body CHECK (num_nonnulls(payload, body) = 1) NOT VALID;
