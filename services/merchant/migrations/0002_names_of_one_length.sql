-- A name is as long as names are everywhere: 200 characters.
ALTER TABLE merchants DROP CONSTRAINT merchants_name_check;
ALTER TABLE merchants ADD CONSTRAINT merchants_name_check CHECK (char_length(name) BETWEEN 1 AND 200) NOT VALID;
ALTER TABLE api_keys DROP CONSTRAINT api_keys_name_check;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_name_check CHECK (char_length(name) BETWEEN 1 AND 200) NOT VALID;
ALTER TABLE locations DROP CONSTRAINT locations_name_check;
ALTER TABLE locations ADD CONSTRAINT locations_name_check CHECK (char_length(name) BETWEEN 1 AND 200) NOT VALID;
