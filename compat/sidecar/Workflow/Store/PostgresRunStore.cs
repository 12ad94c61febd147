using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace LocalPlus.Sidecar.Workflow.Store;

/// <summary>
/// Runs in PostgreSQL, in tables of the engine's own (see the README of this folder).
/// The writer's connection holds an advisory lock for the app id, so a write can only succeed while the lock is held:
/// when the process or the server dies both are gone together and the next engine may begin at once.
/// </summary>
internal sealed partial class PostgresRunStore : IRunStore
{
    private const int ReadConnections = 8;

    private readonly NpgsqlDataSource _reads;
    private readonly string _connectionString;
    private readonly string _appId;
    private readonly string _mailChannel;
    private readonly long _lockKey;
    private volatile bool _tablesMade;

    public PostgresRunStore(string connectionString, string appId)
    {
        _appId = appId;
        _connectionString = connectionString;
        var reads = new NpgsqlDataSourceBuilder(connectionString);
        reads.ConnectionStringBuilder.MaxPoolSize = ReadConnections;
        reads.ConnectionStringBuilder.MaxAutoPrepare = 16;
        reads.ConnectionStringBuilder.AutoPrepareMinUsages = 2;

        // Nothing that is read here leaves anything behind in a session.
        reads.ConnectionStringBuilder.NoResetOnClose = true;
        reads.ConnectionStringBuilder.ApplicationName = $"workflow reads of {appId}";
        _reads = reads.Build();
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes("workflow/" + appId));
        _lockKey = BitConverter.ToInt64(hash);
        _mailChannel = "wf_" + Convert.ToHexStringLower(hash.AsSpan(0, 8));
    }

    public async Task<IRunLease> AcquireAsync(Action onHeld, CancellationToken cancel)
    {
        await MakeTablesAsync(cancel);
        var writer = await OpenAsync("workflow writer", cancel);

        // What the pool has kept may lead to a server that is gone; two reads that fail so while they are cancelled
        // never end.
        _reads.Clear();
        NpgsqlConnection? listener = null;
        try
        {
            if (!await TakeAsync(Sql.TryLock, writer, cancel))
            {
                onHeld();
                await TakeAsync(Sql.TakeLock, writer, cancel);
            }

            listener = await OpenAsync("workflow mail", cancel);
            await using (var listen = new NpgsqlCommand($"LISTEN {_mailChannel}", listener))
            {
                await listen.ExecuteNonQueryAsync(cancel);
            }

            await using var epoch = new NpgsqlCommand(Sql.NextEpoch, writer);
            epoch.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _appId });
            var number = (long)(await epoch.ExecuteScalarAsync(cancel))!;
            return new PostgresRunLease(_appId, writer, listener, number);
        }
        catch
        {
            await writer.DisposeAsync();
            if (listener is not null)
            {
                await listener.DisposeAsync();
            }

            throw;
        }
    }

    private async Task<bool> TakeAsync(string sql, NpgsqlConnection writer, CancellationToken cancel)
    {
        await using var take = new NpgsqlCommand(sql, writer) { CommandTimeout = 0 };
        take.Parameters.Add(new NpgsqlParameter<long> { TypedValue = _lockKey });
        return await take.ExecuteScalarAsync(cancel) is true;
    }

    // Not pooled: the session itself is what holds the lock, and it must die with this engine.
    private async Task<NpgsqlConnection> OpenAsync(string purpose, CancellationToken cancel)
    {
        var settings = new NpgsqlConnectionStringBuilder(_connectionString)
        {
            Pooling = false,
            ApplicationName = $"{purpose} of {_appId}",
            MaxAutoPrepare = 32,
            AutoPrepareMinUsages = 2,
            TcpKeepAlive = true,
        };
        var connection = new NpgsqlConnection(settings.ConnectionString);
        try
        {
            await connection.OpenAsync(cancel);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task MakeTablesAsync(CancellationToken cancel)
    {
        if (_tablesMade)
        {
            return;
        }

        // Sidecars of several apps start at once on one database: one makes the tables, the others wait.
        await using var connection = await _reads.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await using var make = new NpgsqlCommand(Sql.MakeTables, connection, transaction);
        await make.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
        _tablesMade = true;
    }

    public async Task MailAsync(CommitUnit unit, CancellationToken cancel)
    {
        await MakeTablesAsync(cancel);
        await using var connection = await _reads.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        foreach (var row in unit.Rows)
        {
            await using (var forget = new NpgsqlCommand(Sql.MailForget, connection, transaction))
            {
                forget.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _appId });
                forget.Parameters.Add(new NpgsqlParameter<string> { TypedValue = row.InstanceId });
                await forget.ExecuteNonQueryAsync(cancel);
            }

            await using var create = new NpgsqlCommand(Sql.MailRow, connection, transaction);
            PostgresRunLease.AddRows(create.Parameters, _appId, [row]);
            if (await create.ExecuteNonQueryAsync(cancel) == 0)
            {
                throw WorkflowFault.ActiveId(row.InstanceId);
            }
        }

        foreach (var post in unit.Posted)
        {
            await using var insert = new NpgsqlCommand(Sql.MailEvent, connection, transaction);
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _appId });
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = post.InstanceId });
            insert.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = HistoryCodec.Pack([post.Event]) });
            insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _mailChannel });
            await insert.ExecuteNonQueryAsync(cancel);
        }

        await transaction.CommitAsync(cancel);
    }

    public async Task RemoveAsync(IReadOnlyCollection<string> ids, CancellationToken cancel)
    {
        await MakeTablesAsync(cancel);
        await using var connection = await _reads.OpenConnectionAsync(cancel);
        await using var remove = new NpgsqlCommand(Sql.Remove, connection);
        remove.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _appId });
        remove.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. ids] });
        await remove.ExecuteNonQueryAsync(cancel);
    }

    public async ValueTask DisposeAsync() => await _reads.DisposeAsync();
}
