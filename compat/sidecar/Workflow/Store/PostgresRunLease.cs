using System.Text;
using System.Threading.Channels;
using Npgsql;
using Sql = LocalPlus.Sidecar.Workflow.Store.PostgresRunStore.Sql;

namespace LocalPlus.Sidecar.Workflow.Store;

/// <summary>The one writer of an app id: its session holds the advisory lock.</summary>
internal sealed class PostgresRunLease : IRunLease
{
    private readonly string _appId;
    private readonly NpgsqlConnection _writer;
    private readonly NpgsqlConnection _listener;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly Channel<string> _mail = Channel.CreateBounded<string>(4096);
    private readonly Task _listening;
    private long _lastInboxId;

    public PostgresRunLease(string appId, NpgsqlConnection writer, NpgsqlConnection listener, long epoch)
    {
        _appId = appId;
        _writer = writer;
        _listener = listener;
        _lastInboxId = epoch << 32;
        _listening = ListenAsync();
    }

    public CancellationToken Lost => _lost.Token;

    public long NextInboxId() => Interlocked.Increment(ref _lastInboxId);

    /// <summary>One round trip: the batch is one implicit transaction that ends with the batch.</summary>
    public async Task CommitAsync(IReadOnlyList<CommitUnit> units, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(_writer);
        AddDrops(batch, units);
        if (units.SelectMany(unit => unit.Rows).ToList() is { Count: > 0 } rows)
        {
            var put = Add(batch, Sql.PutRows);
            AddRows(put.Parameters, _appId, rows);
        }

        if (units.SelectMany(unit => unit.Chunks).ToList() is { Count: > 0 } chunks)
        {
            var put = Add(batch, Sql.PutChunks);
            put.Parameters.Add(Values(chunks, chunk => chunk.ExecutionId));
            put.Parameters.Add(Values(chunks, chunk => chunk.Sequence));
            put.Parameters.Add(Values(chunks, chunk => chunk.Events));
        }

        if (units.SelectMany(unit => unit.Posted).ToList() is { Count: > 0 } posted)
        {
            var put = AddForApp(batch, Sql.PutInbox);
            put.Parameters.Add(Values(posted, post => post.Id));
            put.Parameters.Add(Values(posted, post => post.InstanceId));
            put.Parameters.Add(Values(posted, post => post.ExecutionId));
            put.Parameters.Add(Values(posted, post => HistoryCodec.Pack([post.Event])));
        }

        // Last: what was posted to a run in the same transaction goes with it.
        if (units.SelectMany(unit => unit.DroppedRuns).ToArray() is { Length: > 0 } runs)
        {
            AddForApp(batch, Sql.DropRuns).Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = runs });
            AddForApp(batch, Sql.DropInboxes).Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = runs });
        }

        if (units.SelectMany(unit => unit.OrphanedInboxes).ToArray() is { Length: > 0 } orphans)
        {
            AddForApp(batch, Sql.DropOrphans).Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = orphans });
        }

        if (batch.BatchCommands.Count == 0)
        {
            return;
        }

        try
        {
            await batch.ExecuteNonQueryAsync(cancel);
        }
        catch (Exception error)
            when (error is not PostgresException { IsTransient: false }
                || _writer.State != System.Data.ConnectionState.Open
            )
        {
            await _lost.CancelAsync();
            throw;
        }
    }

    private void AddDrops(NpgsqlBatch batch, IReadOnlyList<CommitUnit> units)
    {
        if (units.SelectMany(unit => unit.DroppedExecutions).ToArray() is { Length: > 0 } executions)
        {
            Add(batch, Sql.DropHistory).Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = executions });
        }

        if (units.SelectMany(unit => unit.Consumed).ToArray() is { Length: > 0 } consumed)
        {
            AddForApp(batch, Sql.Consume).Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = consumed });
        }
    }

    public static void AddRows(NpgsqlParameterCollection to, string appId, IReadOnlyList<RunRow> rows)
    {
        to.Add(new NpgsqlParameter<string> { TypedValue = appId });
        to.Add(Values(rows, row => row.InstanceId));
        to.Add(Values(rows, row => row.ExecutionId));
        to.Add(Values(rows, row => row.Name.Replace("\0", "", StringComparison.Ordinal)));
        to.Add(Values(rows, row => (short)row.Status));
        to.Add(Values(rows, row => row.Active));
        to.Add(Values(rows, row => row.OpenTasks));
        to.Add(Values(rows, row => row.NextDue?.ToUniversalTime()));
        to.Add(Values(rows, row => row.Chunks));
        to.Add(Values(rows, row => row.Generation));
        to.Add(Values(rows, row => row.ParentId));
        to.Add(Values(rows, row => row.CustomStatus is { } text ? Encoding.UTF8.GetBytes(text) : null));
        to.Add(Values(rows, row => row.CreatedAt.ToUniversalTime()));
        to.Add(Values(rows, row => row.UpdatedAt.ToUniversalTime()));
    }

    private static NpgsqlParameter<TValue[]> Values<TItem, TValue>(
        IReadOnlyList<TItem> items,
        Func<TItem, TValue> value
    )
    {
        var values = new TValue[items.Count];
        for (var index = 0; index < values.Length; index++)
        {
            values[index] = value(items[index]);
        }

        return new NpgsqlParameter<TValue[]> { TypedValue = values };
    }

    private static NpgsqlBatchCommand Add(NpgsqlBatch batch, string sql)
    {
        var command = new NpgsqlBatchCommand(sql);
        batch.BatchCommands.Add(command);
        return command;
    }

    private NpgsqlBatchCommand AddForApp(NpgsqlBatch batch, string sql)
    {
        var command = Add(batch, sql);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _appId });
        return command;
    }

    public IAsyncEnumerable<string> MailAsync(CancellationToken cancel) => _mail.Reader.ReadAllAsync(cancel);

    // The listener also is the first to notice that the server went away while nothing is written.
    private async Task ListenAsync()
    {
        // Mail that finds no room is found in the table when the lease is taken again.
        _listener.Notification += (_, mail) =>
        {
            if (!_mail.Writer.TryWrite(mail.Payload))
            {
                _lost.Cancel();
            }
        };
        try
        {
            while (true)
            {
                await _listener.WaitAsync(_closing.Token);
            }
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            _mail.Writer.TryComplete();
        }
        catch (Exception error)
        {
            _mail.Writer.TryComplete(error);
            await _lost.CancelAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _listening;
        await _listener.DisposeAsync();
        await _writer.DisposeAsync();
        await _lost.CancelAsync();
        _closing.Dispose();
        _lost.Dispose();
    }
}
