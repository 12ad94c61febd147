-- What is kept for some days lies in a table per day and goes with it: its indexes are as large as a day makes them, and
-- forgetting costs the same however much there was. The service's role may make and drop such days, and nothing else.
CREATE TABLE partitioned_tables (
    name           text    NOT NULL PRIMARY KEY,
    -- What tells a row's day: an instant, or a uuid that begins with one (version 7).
    day_column     text    NOT NULL,
    day_type       text    NOT NULL CHECK (day_type IN ('instant', 'uuid')),
    -- Unique within a day; over days it follows from how rows are filed.
    unique_columns text[]  NOT NULL,
    keep_days      integer NOT NULL CHECK (keep_days > 0),
    -- Storage parameters of each day, as "fillfactor = 50"; null: none.
    options        text
);

CREATE TABLE table_partitions (
    name     text        NOT NULL PRIMARY KEY,
    of_table text        NOT NULL REFERENCES partitioned_tables,
    from_at  timestamptz NOT NULL,
    until_at timestamptz NOT NULL CHECK (until_at > from_at),
    UNIQUE (of_table, from_at)
);

-- The literal that a partition's bound is written with.
CREATE FUNCTION partition_bound(day_type text, at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE day_type
               WHEN 'instant' THEN at::text
               ELSE (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid::text
           END
$$;

-- A day's partition. What came before there was one lies in the default partition and moves. It is never vacuumed by the way:
-- its rows go with it, and a statement that was planned with the statistics of a day's first rows would read the whole day.
CREATE FUNCTION add_partition(of_table text, from_at timestamptz, until_at timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    parent partitioned_tables;
    child  text := of_table || to_char(from_at AT TIME ZONE 'UTC', '_YYYYMMDD');
    low    text;
    high   text;
BEGIN
    SELECT p.name, p.day_column, p.day_type, p.unique_columns, p.keep_days, p.options INTO STRICT parent
      FROM partitioned_tables p WHERE p.name = of_table;
    low := partition_bound(parent.day_type, from_at);
    high := partition_bound(parent.day_type, until_at);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', child, of_table)
            || format(' WITH (%s)', concat_ws(', ', 'autovacuum_enabled = false', parent.options));
    EXECUTE format('WITH moved AS (DELETE FROM %1$I WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING %1$I.*)
                    INSERT INTO %5$I TABLE moved',
                   of_table || '_default', parent.day_column, low, high, child);
    EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (%s)', child, array_to_string(parent.unique_columns, ', '));
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', of_table, child, low, high);
    INSERT INTO table_partitions (name, of_table, from_at, until_at)
    VALUES (child, add_partition.of_table, add_partition.from_at, add_partition.until_at);
    RETURN child;
END $$;

-- One step of what a table's days need: drops one that is over, or else makes one that is to come. What it did, or null when
-- there is nothing to do or another is at it. Its locks last as long as the step; it never waits longer than 100 ms for them.
-- The clock that is told may be a day ahead of the database's own, so that nobody drops what is young by a false time.
CREATE FUNCTION keep_partitions(of_table text, told_at timestamptz) RETURNS text LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    days_before constant integer := 2;
    days_ahead  constant integer := 3;
    at          timestamptz := least(told_at, now() + interval '1 day');
    gone        text;
    day         timestamptz;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('partitions of ' || of_table, 0)) THEN
        RETURN NULL;
    END IF;

    SELECT p.name INTO gone
      FROM table_partitions p
      JOIN partitioned_tables t ON t.name = p.of_table
     WHERE p.of_table = keep_partitions.of_table
       AND p.until_at <= at - make_interval(days => t.keep_days)
     ORDER BY p.from_at
     LIMIT 1;
    IF gone IS NOT NULL THEN
        EXECUTE format('DROP TABLE %I', gone);
        DELETE FROM table_partitions p WHERE p.name = gone;
        RETURN 'dropped ' || gone;
    END IF;

    SELECT d.day INTO day
      FROM generate_series(-days_before, days_ahead) AS n
     CROSS JOIN LATERAL (SELECT date_trunc('day', at, 'UTC') + make_interval(hours => 24 * n)) AS d (day)
     WHERE EXISTS (SELECT FROM partitioned_tables t WHERE t.name = keep_partitions.of_table)
       AND NOT EXISTS (SELECT
                         FROM table_partitions p
                        WHERE p.of_table = keep_partitions.of_table
                          AND p.from_at <= d.day
                          AND p.until_at > d.day)
     ORDER BY n
     LIMIT 1;
    IF day IS NULL THEN
        RETURN NULL;
    END IF;

    RETURN 'made ' || add_partition(of_table, day, day + interval '24 hours');
END $$;

-- How a table that there was becomes one of days, without a rewrite and while the previous release writes on: first a bound
-- two weeks ahead that rows of now keep (validated by reading alone), then the table becomes the first partition of its
-- successor, which has its name and its columns. What holds for every key of that partition, its primary key, holds for both
-- releases at least so long. Nobody may delete from the whole: row addresses are of a partition, and the previous release
-- deletes by them; its clean-up is refused and told of until it is replaced.
CREATE FUNCTION begin_partitions(of_table text, day_column text, day_type text, unique_columns text[], keep_days integer)
    RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    margin constant interval := '336 hours';
    bound  timestamptz := date_trunc('day', now(), 'UTC') + margin;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = of_table::regclass) = 'p' THEN
        RETURN;
    END IF;

    INSERT INTO partitioned_tables (name, day_column, day_type, unique_columns, keep_days, options)
    VALUES (of_table, begin_partitions.day_column, begin_partitions.day_type, begin_partitions.unique_columns,
            begin_partitions.keep_days,
            (SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = of_table::regclass))
        ON CONFLICT DO NOTHING;
    DELETE FROM table_partitions p WHERE p.of_table = begin_partitions.of_table;
    INSERT INTO table_partitions (name, of_table, from_at, until_at)
    VALUES (of_table || '_before', begin_partitions.of_table, '-infinity', bound);
    -- Ids that tell no day stand aside until there is a default partition: ours all do.
    IF day_type = 'uuid' THEN
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I (LIKE %I)', of_table || '_strays', of_table);
        EXECUTE format('WITH moved AS (DELETE FROM %1$I WHERE %2$I >= %3$L RETURNING %1$I.*)
                        INSERT INTO %4$I TABLE moved',
                       of_table, day_column, partition_bound(day_type, bound), of_table || '_strays');
    END IF;

    PERFORM when_unlocked(format('ALTER TABLE %1$I DROP CONSTRAINT IF EXISTS %2$I,
                                  ADD CONSTRAINT %2$I CHECK (%3$I < %4$L) NOT VALID',
                                 of_table, of_table || '_until', day_column, partition_bound(day_type, bound)));
END $$;

-- Only reads, while others write. A part must hold to all that its whole does, so every other constraint is validated, too.
CREATE FUNCTION validate_partitions(of_table text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    constraint_name text;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = of_table::regclass) = 'p' THEN
        RETURN;
    END IF;

    FOR constraint_name IN
        SELECT conname FROM pg_constraint WHERE conrelid = of_table::regclass AND contype = 'c' AND NOT convalidated
    LOOP
        EXECUTE format('ALTER TABLE %I VALIDATE CONSTRAINT %I', of_table, constraint_name);
    END LOOP;
END $$;

-- The end of it, once the bound is validated. The role is as a statement names it, in quotes.
CREATE FUNCTION end_partitions(of_table text, app_role text, rights text DEFAULT 'SELECT, INSERT') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    parent partitioned_tables;
    old    text := of_table || '_before';
    bound  text;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = of_table::regclass) = 'p' THEN
        RETURN;
    END IF;

    SELECT p.name, p.day_column, p.day_type, p.unique_columns, p.keep_days, p.options INTO STRICT parent
      FROM partitioned_tables p WHERE p.name = of_table;
    bound := partition_bound(parent.day_type, (SELECT until_at FROM table_partitions WHERE name = old));
    PERFORM when_unlocked(format('ALTER TABLE %I RENAME TO %I', of_table, old));
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (%I)',
                   of_table, old, parent.day_column);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', of_table, of_table || '_until');
    EXECUTE format('GRANT %s ON %I TO %s', rights, of_table, app_role);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', of_table || '_default', of_table);
    EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (%s)',
                   of_table || '_default', array_to_string(parent.unique_columns, ', '));
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I DEFAULT', of_table, of_table || '_default');
    EXECUTE format('GRANT SELECT, DELETE ON %I TO %s', of_table || '_default', app_role);
    EXECUTE format('REVOKE ALL ON %I FROM %s', old, app_role);
    IF has_rows(old) THEN
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%L)',
                       of_table, old, bound);
    ELSE
        EXECUTE format('DROP TABLE %I', old);
        DELETE FROM table_partitions p WHERE p.name = old;
    END IF;

    IF parent.day_type = 'uuid' THEN
        EXECUTE format('INSERT INTO %I TABLE %I', of_table || '_default', of_table || '_strays');
        EXECUTE format('DROP TABLE %I', of_table || '_strays');
    END IF;

    WHILE keep_partitions(of_table, now()) IS NOT NULL LOOP
    END LOOP;
END $$;

CREATE FUNCTION has_rows(of_table text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    found boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', of_table) INTO found;
    RETURN found;
END $$;

-- Runs a statement as soon as it gets its locks: whoever comes meanwhile waits behind it a second at most, and has as long
-- before it tries again. After 60 tries it fails, and so does the start.
CREATE FUNCTION when_unlocked(statement text) RETURNS void LANGUAGE plpgsql SET lock_timeout = '1s' AS $$
BEGIN
    FOR attempt IN 1..60 LOOP
        BEGIN
            EXECUTE statement;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(1);
        END;
    END LOOP;
    EXECUTE statement;
END $$;

REVOKE ALL ON FUNCTION keep_partitions, add_partition, begin_partitions, validate_partitions, end_partitions,
    when_unlocked, has_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keep_partitions TO ${app_role};
GRANT SELECT ON partitioned_tables, table_partitions TO ${app_role};
