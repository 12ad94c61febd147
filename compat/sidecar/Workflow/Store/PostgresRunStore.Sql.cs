namespace LocalPlus.Sidecar.Workflow.Store;

/// <content>The statements; <c>app_id</c> is always parameter 1.</content>
internal sealed partial class PostgresRunStore
{
    internal static class Sql
    {
        // 7735938 is only a name for "making the workflow tables".
        public const string MakeTables = """
            SELECT pg_advisory_xact_lock(7735938);
            CREATE TABLE IF NOT EXISTS wf_instances (
                app_id        text        NOT NULL COLLATE "C",
                instance_id   text        NOT NULL COLLATE "C",
                execution_id  uuid        NOT NULL,
                name          text        NOT NULL,
                status        smallint    NOT NULL,
                active        boolean     NOT NULL,
                open_tasks    integer     NOT NULL,
                next_due      timestamptz NULL,
                chunks        integer     NOT NULL,
                generation    integer     NOT NULL,
                parent_id     text        NULL,
                custom_status bytea       NULL,
                created_at    timestamptz NOT NULL,
                updated_at    timestamptz NOT NULL,
                PRIMARY KEY (app_id, instance_id)
            ) WITH (fillfactor = 70);
            CREATE INDEX IF NOT EXISTS ix_wf_instances_active
                ON wf_instances (app_id, instance_id) WHERE active;
            CREATE INDEX IF NOT EXISTS ix_wf_instances_due
                ON wf_instances (app_id, next_due) WHERE next_due IS NOT NULL;
            CREATE TABLE IF NOT EXISTS wf_history (
                execution_id uuid    NOT NULL,
                sequence     integer NOT NULL,
                events       bytea   NOT NULL,
                PRIMARY KEY (execution_id, sequence)
            );
            CREATE TABLE IF NOT EXISTS wf_inbox (
                app_id       text   NOT NULL COLLATE "C",
                id           bigint NOT NULL,
                instance_id  text   NOT NULL COLLATE "C",
                execution_id uuid   NULL,
                event        bytea  NOT NULL,
                PRIMARY KEY (app_id, id)
            );
            CREATE INDEX IF NOT EXISTS ix_wf_inbox_instance ON wf_inbox (app_id, instance_id);
            CREATE TABLE IF NOT EXISTS wf_leases (
                app_id text   NOT NULL PRIMARY KEY COLLATE "C",
                epoch  bigint NOT NULL
            );
            CREATE SEQUENCE IF NOT EXISTS wf_mail_ids;
            """;

        public const string TryLock = "SELECT pg_try_advisory_lock($1)";

        public const string TakeLock = "SELECT pg_advisory_lock($1)";

        public const string NextEpoch = """
            INSERT INTO wf_leases (app_id, epoch) VALUES ($1, 1)
            ON CONFLICT (app_id) DO UPDATE SET epoch = wf_leases.epoch + 1
            RETURNING epoch
            """;

        public const string DropRuns = "DELETE FROM wf_instances WHERE app_id = $1 AND instance_id = ANY ($2)";

        public const string DropInboxes = "DELETE FROM wf_inbox WHERE app_id = $1 AND instance_id = ANY ($2)";

        public const string DropOrphans = """
            DELETE FROM wf_inbox b
             WHERE b.app_id = $1 AND b.instance_id = ANY ($2)
               AND NOT EXISTS (SELECT FROM wf_instances i WHERE i.app_id = $1 AND i.instance_id = b.instance_id)
            """;

        public const string DropHistory = "DELETE FROM wf_history WHERE execution_id = ANY ($1)";

        public const string Consume = "DELETE FROM wf_inbox WHERE app_id = $1 AND id = ANY ($2)";

        private const string InsertRows = """
            INSERT INTO wf_instances AS w (app_id, instance_id, execution_id, name, status, active, open_tasks, next_due,
                                           chunks, generation, parent_id, custom_status, created_at, updated_at)
            SELECT $1, r.*
              FROM unnest($2::text[], $3::uuid[], $4::text[], $5::smallint[], $6::boolean[], $7::integer[],
                          $8::timestamptz[], $9::integer[], $10::integer[], $11::text[], $12::bytea[],
                          $13::timestamptz[], $14::timestamptz[]) AS r
            """;

        private const string ReplaceRow = """

            ON CONFLICT (app_id, instance_id) DO UPDATE
               SET execution_id = excluded.execution_id, name = excluded.name, status = excluded.status,
                   active = excluded.active, open_tasks = excluded.open_tasks, next_due = excluded.next_due,
                   chunks = excluded.chunks, generation = excluded.generation, parent_id = excluded.parent_id,
                   custom_status = excluded.custom_status, created_at = excluded.created_at,
                   updated_at = excluded.updated_at
            """;

        public const string PutRows = InsertRows + ReplaceRow;

        public const string PutChunks = """
            INSERT INTO wf_history (execution_id, sequence, events)
            SELECT * FROM unnest($1::uuid[], $2::integer[], $3::bytea[])
            """;

        public const string PutInbox = """
            INSERT INTO wf_inbox (app_id, id, instance_id, execution_id, event)
            SELECT $1, r.* FROM unnest($2::bigint[], $3::text[], $4::uuid[], $5::bytea[]) AS r
            """;

        public const string LoadRows = """
            SELECT instance_id, execution_id, name, status, active, open_tasks, next_due, chunks, generation,
                   parent_id, custom_status, created_at, updated_at
              FROM wf_instances
             WHERE app_id = $1 AND instance_id = ANY ($2)
            """;

        public const string LoadHistory = """
            SELECT i.instance_id, h.execution_id, h.events
              FROM wf_instances i
              JOIN wf_history h ON h.execution_id = i.execution_id
             WHERE i.app_id = $1 AND i.instance_id = ANY ($2)
             ORDER BY h.execution_id, h.sequence
            """;

        public const string LoadInbox = """
            SELECT instance_id, id, execution_id, event
              FROM wf_inbox
             WHERE app_id = $1 AND instance_id = ANY ($2)
             ORDER BY id
            """;

        public const string List = """
            SELECT instance_id FROM wf_instances
             WHERE app_id = $1 AND instance_id > $2
             ORDER BY instance_id LIMIT $3
            """;

        // Status 6 is PENDING: a start ahead waits for its time, whatever lies in its inbox.
        public const string Runnable = """
            SELECT id FROM (
                SELECT i.instance_id AS id FROM wf_instances i
                 WHERE i.app_id = $1 AND i.active AND i.open_tasks > 0
                UNION
                SELECT b.instance_id FROM wf_inbox b
                 WHERE b.app_id = $1
                   AND NOT EXISTS (SELECT FROM wf_instances i
                                    WHERE i.app_id = $1 AND i.instance_id = b.instance_id
                                      AND i.status = 6 AND i.next_due > $4)) found
             WHERE id > $2
             ORDER BY id LIMIT $3
            """;

        public const string StalledRuns =
            "SELECT instance_id FROM wf_instances WHERE app_id = $1 AND active AND status = 8";

        public const string Timers = """
            SELECT instance_id, next_due FROM wf_instances
             WHERE app_id = $1 AND next_due >= $2
             ORDER BY next_due LIMIT $3
            """;

        // Mail is written beside the engine that holds the lease: it must not overwrite a run of that engine.
        public const string MailRow = InsertRows + ReplaceRow + "\n WHERE NOT w.active";

        public const string MailForget = """
            DELETE FROM wf_history
             WHERE execution_id IN (SELECT execution_id FROM wf_instances
                                     WHERE app_id = $1 AND instance_id = $2 AND NOT active)
            """;

        // Above the numbers that the engine of the same epoch gives out.
        public const string MailEvent = """
            WITH mail AS (
                INSERT INTO wf_inbox (app_id, id, instance_id, event)
                SELECT $1,
                       (SELECT COALESCE(max(epoch), 0) FROM wf_leases WHERE app_id = $1) * 4294967296
                           + 2147483648 + nextval('wf_mail_ids') % 2147483648,
                       $2, $3)
            SELECT pg_notify($4, $2)
            """;

        public const string Remove = """
            WITH gone AS (
                DELETE FROM wf_instances WHERE app_id = $1 AND instance_id = ANY ($2) RETURNING execution_id),
            inbox AS (DELETE FROM wf_inbox WHERE app_id = $1 AND instance_id = ANY ($2))
            DELETE FROM wf_history WHERE execution_id IN (SELECT execution_id FROM gone)
            """;
    }
}
