using Dapper;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>
/// One connection, one transaction, one token. Disposing it without <see cref="CommitAsync"/> rolls back.
/// </summary>
public sealed class DbSession : IAsyncDisposable
{
    private readonly OutboxSignal signal;
    private readonly TimeProvider time;
    private Action? committed;
    private bool hasEvents;
    private bool isInDoubt;

    internal DbSession(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        OutboxSignal signal,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        Connection = connection;
        Transaction = transaction;
        this.signal = signal;
        this.time = time;
        Cancel = cancel;
    }

    public NpgsqlConnection Connection { get; }

    public NpgsqlTransaction Transaction { get; }

    public CancellationToken Cancel { get; }

    /// <summary>The service's clock.</summary>
    public DateTimeOffset Now => time.GetUtcNow();

    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object? args = null) =>
        (await WatchAsync(Rows<T>.QueryAsync(Connection, Command(sql, args)))).AsList();

    /// <summary>
    /// A query that is planned anew for the arguments it has got: conditions that come and go with them, or a bound
    /// that leaves next to nothing where the planner would expect a third. So are the queries after it in this
    /// transaction.
    /// </summary>
    public Task<IReadOnlyList<T>> SearchAsync<T>(string sql, object? args) =>
        QueryAsync<T>($"SET LOCAL plan_cache_mode = force_custom_plan; {sql}", args);

    public Task<T?> QuerySingleOrDefaultAsync<T>(string sql, object? args = null) =>
        WatchAsync(Rows<T>.SingleOrDefaultAsync(Connection, Command(sql, args)));

    public Task<T> QuerySingleAsync<T>(string sql, object? args = null) =>
        WatchAsync(Rows<T>.SingleAsync(Connection, Command(sql, args)));

    /// <summary>The number of rows touched.</summary>
    public Task<int> ExecuteAsync(string sql, object? args = null) =>
        WatchAsync(Connection.ExecuteAsync(Command(sql, args)));

    /// <summary>Writes an event into the outbox; it is published after the commit and never without it.</summary>
    /// <param name="topic">e.g. giftcard.cards.v1.</param>
    /// <param name="type">e.g. gift_card.activated.</param>
    /// <param name="key">The aggregate's id: partition key, and what <paramref name="sequence"/> counts for.</param>
    /// <param name="sequence">The aggregate's version after the change; consumers order by it.</param>
    public async Task PublishAsync(
        string topic,
        string type,
        string key,
        long sequence,
        MerchantId? merchantId,
        object data
    )
    {
        await ExecuteAsync(Outbox.Sql.Add, Outbox.Row(topic, type, key, sequence, merchantId, data, time));
        hasEvents = true;
    }

    /// <summary>As the other, for the events of many aggregates in one statement.</summary>
    public async Task PublishAsync(string topic, IReadOnlyList<OutboxEvent> events, DateTimeOffset occurredAt)
    {
        if (events.Count > 0)
        {
            await ExecuteAsync(Outbox.Sql.AddMany, Outbox.Rows(topic, events, occurredAt));
            hasEvents = true;
        }
    }

    public async Task CommitAsync()
    {
        // The last moment to turn back: a commit that was sent is waited for.
        Cancel.ThrowIfCancellationRequested();
        if (AuditNote.Current is { } note)
        {
            await note.WriteAsync(this);
        }

        await Transaction.CommitAsync(CancellationToken.None);
        if (hasEvents)
        {
            signal.Ring();
        }

        committed?.Invoke();
    }

    /// <summary>What is to be told once this is committed, and never without.</summary>
    internal void OnCommit(Action tell) => committed += tell;

    public async ValueTask DisposeAsync()
    {
        await Transaction.DisposeAsync();
        if (isInDoubt)
        {
            Preparation.Forget(Connection);
        }

        await Connection.DisposeAsync();
    }

    private async Task<T> WatchAsync<T>(Task<T> command)
    {
        try
        {
            return await command;
        }
        catch (Exception failure) when (Preparation.IsInDoubt(failure))
        {
            isInDoubt = true;
            throw;
        }
    }

    private CommandDefinition Command(string sql, object? args) => Statements.Of(sql, args, Cancel, Transaction);
}
