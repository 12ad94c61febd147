using System.Data;
using System.Text.Json;
using Dapper;
using LocalPlus.Kernel;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Hosting;

/// <summary>
/// Publishes the outbox through Dapr. One leader per database (advisory lock); woken by its own process directly and by
/// other replicas through NOTIFY, with a slow poll as the net under both. A request carries at most one event per key,
/// a row is deleted only after the sidecar took it: at least once, nothing lost, nothing before its commit (ADR 0006).
/// A topic that is refused rests for a while and holds up no other.
/// </summary>
internal sealed class OutboxRelay(
    NpgsqlDataSource database,
    OutboxSignal signal,
    EventPublisher publisher,
    OutboxHealth health,
    TimeProvider time,
    ILogger<OutboxRelay> log
) : BackgroundService
{
    public const string Channel = "outbox";
    public const int BatchSize = 500;
    public static readonly TimeSpan IdlePoll = TimeSpan.FromSeconds(5);
    private const long LockKey = 0x4C50_4F55_5442;
    private static readonly TimeSpan MinBackOff = TimeSpan.FromMilliseconds(100);
    internal static readonly TimeSpan MaxBackOff = TimeSpan.FromSeconds(10);
    internal static readonly TimeSpan FollowerPoll = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, (DateTimeOffset Until, TimeSpan Pause)> resting = new(StringComparer.Ordinal);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var backOff = TimeSpan.Zero;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(stoppingToken);
                await LeadOrFollowAsync(connection, () => backOff = TimeSpan.Zero, stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                backOff = After(backOff);
                health.Failed(exception);
                log.OutboxStumbled(backOff.TotalMilliseconds, exception);
                await Task.Delay(backOff, time, stoppingToken);
            }
        }
    }

    private async Task LeadOrFollowAsync(NpgsqlConnection connection, Action progressed, CancellationToken cancel)
    {
        while (
            !await connection.ExecuteScalarAsync<bool>(
                new CommandDefinition(Sql.TryLead, new { LockKey }, cancellationToken: cancel)
            )
        )
        {
            if (await signal.WaitAsync(FollowerPoll, cancel))
            {
                await connection.ExecuteAsync(new CommandDefinition(Sql.Notify, cancellationToken: cancel));
            }
        }

        log.OutboxLeads();
        await using var ears = await database.OpenConnectionAsync(cancel);
        ears.Notification += (_, _) => signal.Ring();
        await ears.ExecuteAsync(new CommandDefinition(Sql.Listen, cancellationToken: cancel));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var listening = ListenAsync(ears, stop.Token);
        try
        {
            while (!listening.IsCompleted)
            {
                if (await PublishNextAsync(connection, cancel) == 0)
                {
                    await signal.WaitAsync(UntilNext(), cancel);
                }

                progressed();
            }

            await listening;
        }
        finally
        {
            await stop.CancelAsync();
            await listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await QuitAsync(connection, Sql.Resign, new { LockKey });
            await QuitAsync(ears, Sql.Unlisten, null);
        }
    }

    /// <summary>
    /// The pool keeps sessions and what they hold: what can not be taken back has to end with its session.
    /// </summary>
    private static async Task QuitAsync(NpgsqlConnection connection, string sql, object? args)
    {
        try
        {
            if (connection.State == ConnectionState.Open)
            {
                await connection.ExecuteAsync(
                    new CommandDefinition(sql, args, cancellationToken: CancellationToken.None)
                );
            }
        }
        catch (NpgsqlException)
        {
            NpgsqlConnection.ClearPool(connection);
        }
    }

    private static async Task ListenAsync(NpgsqlConnection ears, CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            await ears.WaitAsync(cancel);
        }
    }

    private static TimeSpan After(TimeSpan backOff) =>
        TimeSpan.FromTicks(Math.Clamp(backOff.Ticks * 2, MinBackOff.Ticks, MaxBackOff.Ticks));

    /// <summary>How long there is nothing to do, unless somebody rings.</summary>
    private TimeSpan UntilNext()
    {
        var next = resting.Values.Select(rest => rest.Until - time.GetUtcNow()).DefaultIfEmpty(IdlePoll).Min();
        return next < MinBackOff ? MinBackOff
            : next < IdlePoll ? next
            : IdlePoll;
    }

    private void Rest(string topic, Exception cause)
    {
        var pause = After(resting.GetValueOrDefault(topic).Pause);
        resting[topic] = (time.GetUtcNow() + pause, pause);
        health.Failed(cause);
        log.OutboxStumbled(pause.TotalMilliseconds, cause);
    }

    private async Task<int> PublishNextAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var passedOver = resting.Where(rest => rest.Value.Until > now).Select(rest => rest.Key).ToArray();
        var rows = (
            await connection.QueryAsync<OutboxRow>(
                new CommandDefinition(
                    Outbox.Sql.Next,
                    new { Limit = BatchSize, PassedOver = passedOver },
                    cancellationToken: cancel
                )
            )
        ).AsList();
        var sent = new List<long>(rows.Count);
        var refused = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            foreach (var request in Requests(rows).Where(request => !refused.Contains(request[0].Topic)))
            {
                await Failpoints.BeforeAsync("Publish");
                var (taken, refusal) = await TryAsync(request, cancel);
                sent.AddRange(taken);
                if (taken.Length > 0)
                {
                    EventMetrics.Published(
                        request[0].Topic,
                        taken.Length,
                        time.GetUtcNow() - request.Min(row => row.OccurredAt)
                    );
                }

                await Failpoints.CommittedAsync("Publish");
                if (refusal is null)
                {
                    resting.Remove(request[0].Topic);
                    if (resting.Count == 0)
                    {
                        health.Passed();
                    }
                }
                else if (refused.Add(request[0].Topic))
                {
                    Rest(request[0].Topic, refusal);
                }
            }
        }
        finally
        {
            // Once for all that the broker has; a crash before it publishes them again, and inboxes know them.
            if (sent.Count > 0)
            {
                await connection.ExecuteAsync(
                    new CommandDefinition(
                        Outbox.Sql.Delete,
                        new { Ids = sent.ToArray() },
                        cancellationToken: CancellationToken.None
                    )
                );
            }
        }

        await Failpoints.AnsweredAsync("Publish");
        return rows.Count;
    }

    /// <summary>What was taken, and why not all. A sidecar that does not answer at all is nobody's refusal.</summary>
    private async Task<(long[] Taken, Exception? Refusal)> TryAsync(
        IReadOnlyList<OutboxRow> request,
        CancellationToken cancel
    )
    {
        try
        {
            var taken = await publisher.PublishAsync(request, cancel);
            return taken.Length == request.Count
                ? (taken, null)
                : (
                    taken,
                    new InvalidOperationException(
                        $"The broker refused {request.Count - taken.Length} of {request.Count} events."
                    )
                );
        }
        catch (Exception refusal) when (refusal is HttpRequestException { StatusCode: not null } or JsonException)
        {
            return ([], refusal);
        }
    }

    /// <summary>Splits rows, in order, into requests of one topic in which no key occurs twice.</summary>
    internal static IEnumerable<IReadOnlyList<OutboxRow>> Requests(IEnumerable<OutboxRow> rows)
    {
        foreach (var topic in rows.GroupBy(row => row.Topic))
        {
            var rounds = new List<List<OutboxRow>>();
            var roundOf = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (var row in topic)
            {
                var round = roundOf[row.Key] = roundOf.TryGetValue(row.Key, out var last) ? last + 1 : 0;
                if (round == rounds.Count)
                {
                    rounds.Add([]);
                }

                rounds[round].Add(row);
            }

            foreach (var request in rounds.SelectMany(round => round.Chunk(EventPublisher.MaxEntries)))
            {
                yield return request;
            }
        }
    }

    private static class Sql
    {
        public const string TryLead = "SELECT pg_try_advisory_lock(@LockKey)";
        public const string Resign = "SELECT pg_advisory_unlock(@LockKey)";
        public const string Listen = $"LISTEN {Channel}";
        public const string Unlisten = "UNLISTEN *";
        public const string Notify = $"NOTIFY {Channel}";
    }
}

internal sealed record OutboxRow(
    long Id,
    EventId EventId,
    string Topic,
    string Type,
    string Key,
    long Sequence,
    MerchantId? MerchantId,
    string Data,
    string? Traceparent,
    DateTimeOffset OccurredAt
);
