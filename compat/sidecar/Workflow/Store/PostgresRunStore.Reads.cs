using System.Text;
using Dapr.DurableTask.Protobuf;
using Npgsql;

namespace LocalPlus.Sidecar.Workflow.Store;

/// <content>Reading: no lock, no lease, any time.</content>
internal sealed partial class PostgresRunStore
{
    // Most ids that are looked for are those of starts, and there is nothing: one query says so.
    public async Task<IReadOnlyList<StoredRun>> LoadAsync(IReadOnlyCollection<string> ids, CancellationToken cancel)
    {
        await MakeTablesAsync(cancel);
        await using var connection = await _reads.OpenConnectionAsync(cancel);
        var runs = new Dictionary<string, StoredRun>(ids.Count);
        await using (var rows = new NpgsqlCommand(Sql.LoadRows, connection))
        {
            AddIds(rows.Parameters, ids);
            await using var reader = await rows.ExecuteReaderAsync(cancel);
            while (await reader.ReadAsync(cancel))
            {
                var row = ReadRow(reader);
                runs[row.InstanceId] = new StoredRun(row, [], []);
            }
        }

        if (runs.Count > 0)
        {
            await LoadEventsAsync(connection, runs, cancel);
        }

        return [.. runs.Values];
    }

    private async Task LoadEventsAsync(
        NpgsqlConnection connection,
        Dictionary<string, StoredRun> runs,
        CancellationToken cancel
    )
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var text in (string[])[Sql.LoadHistory, Sql.LoadInbox])
        {
            var command = new NpgsqlBatchCommand(text);
            AddIds(command.Parameters, runs.Keys);
            batch.BatchCommands.Add(command);
        }

        await using var reader = await batch.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            if (runs.TryGetValue(reader.GetString(0), out var run) && run.Row.ExecutionId == reader.GetGuid(1))
            {
                run.History.AddRange(HistoryCodec.Unpack(reader.GetFieldValue<byte[]>(2)));
            }
        }

        await reader.NextResultAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            if (runs.TryGetValue(reader.GetString(0), out var run))
            {
                Guid? execution = await reader.IsDBNullAsync(2, cancel) ? null : reader.GetGuid(2);
                foreach (var one in HistoryCodec.Unpack(reader.GetFieldValue<byte[]>(3)))
                {
                    run.Inbox.Add(new InboxRow(reader.GetInt64(1), run.Row.InstanceId, execution, one));
                }
            }
        }
    }

    private void AddIds(NpgsqlParameterCollection to, IEnumerable<string> ids)
    {
        to.Add(new NpgsqlParameter<string> { TypedValue = _appId });
        to.Add(new NpgsqlParameter<string[]> { TypedValue = [.. ids] });
    }

    private static RunRow ReadRow(NpgsqlDataReader reader) =>
        new()
        {
            InstanceId = reader.GetString(0),
            ExecutionId = reader.GetGuid(1),
            Name = reader.GetString(2),
            Status = (OrchestrationStatus)reader.GetInt16(3),
            Active = reader.GetBoolean(4),
            OpenTasks = reader.GetInt32(5),
            NextDue = reader.IsDBNull(6) ? null : reader.GetFieldValue<DateTimeOffset>(6),
            Chunks = reader.GetInt32(7),
            Generation = reader.GetInt32(8),
            ParentId = reader.IsDBNull(9) ? null : reader.GetString(9),
            CustomStatus = reader.IsDBNull(10) ? null : Encoding.UTF8.GetString(reader.GetFieldValue<byte[]>(10)),
            CreatedAt = reader.GetFieldValue<DateTimeOffset>(11),
            UpdatedAt = reader.GetFieldValue<DateTimeOffset>(12),
        };

    public async Task<IdPage> ListAsync(string? after, int size, CancellationToken cancel) =>
        await PageAsync(Sql.List, after, size, null, cancel);

    public async Task<IdPage> RunnableAsync(DateTimeOffset now, string? after, int size, CancellationToken cancel) =>
        await PageAsync(Sql.Runnable, after, size, now, cancel);

    // One id more than asked for tells whether there is another page.
    private async Task<IdPage> PageAsync(
        string sql,
        string? after,
        int size,
        DateTimeOffset? now,
        CancellationToken cancel
    )
    {
        await MakeTablesAsync(cancel);
        await using var connection = await _reads.OpenConnectionAsync(cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _appId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = after ?? "" });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = size + 1 });
        if (now is { } moment)
        {
            command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = moment.ToUniversalTime() });
        }

        var ids = await StringsAsync(command, cancel);
        if (ids.Count <= size)
        {
            return new IdPage(ids, null);
        }

        ids.RemoveAt(size);
        return new IdPage(ids, ids[^1]);
    }

    public async Task<IReadOnlyList<string>> StalledAsync(CancellationToken cancel)
    {
        await MakeTablesAsync(cancel);
        await using var connection = await _reads.OpenConnectionAsync(cancel);
        await using var command = new NpgsqlCommand(Sql.StalledRuns, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _appId });
        return await StringsAsync(command, cancel);
    }

    public async Task<IReadOnlyList<StoredTimer>> TimersAsync(DateTimeOffset from, int size, CancellationToken cancel)
    {
        await MakeTablesAsync(cancel);
        await using var connection = await _reads.OpenConnectionAsync(cancel);
        await using var command = new NpgsqlCommand(Sql.Timers, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _appId });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = from.ToUniversalTime() });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = size });
        var timers = new List<StoredTimer>();
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            timers.Add(new StoredTimer(reader.GetString(0), reader.GetFieldValue<DateTimeOffset>(1)));
        }

        return timers;
    }

    private static async Task<List<string>> StringsAsync(NpgsqlCommand command, CancellationToken cancel)
    {
        var found = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            found.Add(reader.GetString(0));
        }

        return found;
    }
}
