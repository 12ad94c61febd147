using Npgsql;

namespace LocalPlus.Engine.KillRun;

/// <summary>
/// Watches the engine's table from outside: a trigger counts how often each run ends, so that a run that ends twice is
/// seen whatever the engine says about it.
/// </summary>
internal sealed class Audit(string connectionString)
{
    private const string Make = """
        CREATE TABLE IF NOT EXISTS killrun_ends (instance_id text NOT NULL, execution_id uuid NOT NULL, status smallint NOT NULL);
        CREATE OR REPLACE FUNCTION killrun_ended() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.status IN (1, 3, 5) AND (TG_OP = 'INSERT' OR OLD.status NOT IN (1, 3, 5) OR OLD.execution_id <> NEW.execution_id) THEN
                INSERT INTO killrun_ends VALUES (NEW.instance_id, NEW.execution_id, NEW.status);
            END IF;
            RETURN NEW;
        END $$;
        CREATE OR REPLACE TRIGGER killrun_ended AFTER INSERT OR UPDATE ON wf_instances
            FOR EACH ROW EXECUTE FUNCTION killrun_ended();
        """;

    public async Task WatchAsync() => await ExecuteAsync(Make);

    /// <summary>Ids that ended more than once, or otherwise than COMPLETED.</summary>
    public Task<List<string>> WrongEndsAsync() =>
        ReadAsync(
            """
            SELECT instance_id || ' ended ' || count(*) || ' times, status ' || string_agg(status::text, ',')
              FROM killrun_ends GROUP BY instance_id HAVING count(*) <> 1 OR max(status) <> 1 OR min(status) <> 1
            """
        );

    /// <summary>Runs, children included, that ended.</summary>
    public async Task<HashSet<string>> EndedAsync() => [.. await ReadAsync("SELECT instance_id FROM killrun_ends")];

    /// <summary>What the tables still hold that nobody will ever take up.</summary>
    public Task<List<string>> LeftoversAsync() =>
        ReadAsync(
            """
            SELECT 'active: ' || instance_id || ' status ' || status FROM wf_instances WHERE active
            UNION ALL
            SELECT 'inbox: ' || instance_id FROM wf_inbox
            UNION ALL
            SELECT 'history without run: ' || h.execution_id FROM wf_history h
             WHERE NOT EXISTS (SELECT FROM wf_instances i WHERE i.execution_id = h.execution_id)
            """
        );

    /// <summary>What the tables say about a run and its children, for a look at what went wrong.</summary>
    public Task<List<string>> ExplainAsync(string id) =>
        ReadAsync(
            $"""
            SELECT instance_id || ' execution ' || execution_id || ' status ' || status || ' open tasks ' || open_tasks || ' chunks ' || chunks
                   || ' due ' || COALESCE(next_due::text, '-') || ' updated ' || updated_at
                   || ' stored chunks ' || (SELECT count(*) FROM wf_history h WHERE h.execution_id = i.execution_id)
                   || ' inbox ' || (SELECT count(*) FROM wf_inbox b WHERE b.instance_id = i.instance_id)
              FROM wf_instances i WHERE instance_id = '{id}' OR instance_id LIKE '{id}:%' ORDER BY instance_id
            """
        );

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<List<string>> ReadAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var found = new List<string>();
        while (await reader.ReadAsync())
        {
            found.Add(reader.GetString(0));
        }

        return found;
    }
}
