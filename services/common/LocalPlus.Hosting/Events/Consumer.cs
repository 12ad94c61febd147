using Microsoft.Extensions.Logging;
using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>What an event that is delivered again meets.</summary>
public enum Repeats
{
    /// <summary>A row of inbox_events for each event, which lets it in once.</summary>
    StopAtInbox,

    /// <summary>The handler, whose own rows decide: a second time changes nothing, and no row is kept for it.</summary>
    AreHarmless,
}

/// <summary>What takes the messages of a topic, whichever way they come.</summary>
internal interface IConsumer
{
    string Topic { get; }

    /// <summary>False: all of them are to be delivered again, as the database is away.</summary>
    Task<bool> TakeAsync(
        IReadOnlyList<Arrival> arrivals,
        Subscriber subscriber,
        IServiceProvider services,
        CancellationToken cancel
    );
}

/// <summary>
/// The messages of a delivery share one transaction with their inbox rows, so the effect of each event happens once
/// however
/// often it is delivered, and with their dead letters. Should an event fail, all go once more, each behind a savepoint:
/// those
/// that fail again are dead letters. Only a database that is away, or will not have them now, makes the sidecar repeat.
/// </summary>
internal sealed class Consumer<T>(
    string topic,
    Func<IReadOnlyList<EventEnvelope<T>>, DbSession, IServiceProvider, Task> handler,
    Repeats repeats = Repeats.StopAtInbox
) : IConsumer, IDisposable
{
    private const string Savepoint = "one_event";

    // One delivery of a topic at a time: two would only wait for each other's rows, or in a circle.
    private readonly SemaphoreSlim turn = new(1);

    public string Topic => topic;

    public void Dispose() => turn.Dispose();

    public async Task<bool> TakeAsync(
        IReadOnlyList<Arrival> arrivals,
        Subscriber subscriber,
        IServiceProvider services,
        CancellationToken cancel
    )
    {
        var readings = arrivals.Select(arrival => (arrival.Body, Reading: EventReader.Read<T>(arrival.Body))).ToArray();
        var batch = new Batch(
            [
                .. readings
                    .Where(r => r.Reading.Envelope is not null)
                    .Select(r => new Message(r.Body, r.Reading.Envelope!)),
            ],
            [
                .. readings
                    .Where(r => r.Reading.Envelope is null)
                    .Select(r => DeadLetter.OfNoEvent(r.Body, r.Reading.Problem)),
            ],
            subscriber,
            services,
            cancel
        );
        using var spans = EventSpans.Start(
            topic,
            [.. readings.Select(r => (r.Reading.Envelope?.Id.ToString(), r.Reading.Trace))]
        );
        if (await subscriber.Pause.TryAsync(() => TakeInTurnAsync(batch), cancel) is not { } cause)
        {
            return true;
        }

        subscriber.Log.EventsFailed(topic, arrivals.Count, cause);
        EventMetrics.Taken(topic, EventMetrics.Again, arrivals.Count);
        return false;
    }

    private async Task TakeInTurnAsync(Batch batch)
    {
        await turn.WaitAsync(batch.Cancel);
        try
        {
            var failed = await TogetherAsync(batch) ?? await OneByOneAsync(batch);
            Tell(batch, failed);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>None failed; or null when one of them did and all is rolled back.</summary>
    private async Task<IReadOnlyList<DeadLetter>?> TogetherAsync(Batch batch)
    {
        try
        {
            await Failpoints.BeforeAsync("Deliver");
            await using var db = await batch.Subscriber.Database.BeginAsync(batch.Cancel);
            await HandleAsync(db, batch.Messages, batch);
            await CommitAsync(db, batch, batch.Refused);
            return [];
        }
        catch (Exception exception) when (!DatabaseAway.IsToldBy(exception) && !batch.Cancel.IsCancellationRequested)
        {
            batch.Subscriber.Log.EventsSplit(topic, batch.Messages.Length, exception);
            return null;
        }
    }

    /// <summary>
    /// One event that takes too long although it is alone is at fault; a second one says that the database is slow.
    /// </summary>
    private async Task<IReadOnlyList<DeadLetter>> OneByOneAsync(Batch batch)
    {
        var failed = new List<DeadLetter>();
        var isSlow = false;
        await using var db = await batch.Subscriber.Database.BeginAsync(batch.Cancel);
        foreach (var message in batch.Messages)
        {
            await db.Transaction.SaveAsync(Savepoint, batch.Cancel);
            try
            {
                await HandleAsync(db, [message], batch);
                await db.Transaction.ReleaseAsync(Savepoint, batch.Cancel);
            }
            catch (Exception exception) when (!Passes(exception, isSlow) && !batch.Cancel.IsCancellationRequested)
            {
                isSlow |= DatabaseAway.IsTooSlow(exception);
                await db.Transaction.RollbackAsync(Savepoint, batch.Cancel);
                batch.Subscriber.Log.EventFailed(topic, message.Envelope.Id.ToString(), exception);
                failed.Add(new DeadLetter(message.Envelope.Id.ToString(), message.Body, Reason(exception)));
            }
        }

        await CommitAsync(db, batch, [.. batch.Refused, .. failed]);
        return failed;
    }

    private async Task HandleAsync(DbSession db, IReadOnlyList<Message> messages, Batch batch)
    {
        var fresh = messages.Select(message => message.Envelope.Id.Value).ToHashSet();
        if (fresh.Count > 0 && repeats == Repeats.StopAtInbox)
        {
            fresh =
            [
                .. await db.QueryAsync<Guid>(
                    Sql.Enter,
                    new
                    {
                        Subscriber = $"{batch.Subscriber.Service.Name}/{topic}",
                        EventIds = fresh.ToArray(),
                        ReceivedAt = batch.Subscriber.Time.GetUtcNow(),
                    }
                ),
            ];
        }

        if (fresh.Count > 0)
        {
            await handler(
                [.. messages.Select(message => message.Envelope).Where(e => fresh.Remove(e.Id.Value))],
                db,
                batch.Services
            );
        }
    }

    private async Task CommitAsync(DbSession db, Batch batch, IReadOnlyCollection<DeadLetter> letters)
    {
        await DeadLetters.KeepAsync(db, topic, letters, batch.Subscriber.Time.GetUtcNow());
        await db.CommitAsync();
        await Failpoints.CommittedAsync("Deliver");
    }

    private void Tell(Batch batch, IReadOnlyList<DeadLetter> failed)
    {
        foreach (var letter in batch.Refused)
        {
            batch.Subscriber.Log.EventRefused(topic, letter.Reason);
        }

        EventMetrics.Taken(topic, EventMetrics.Refused, batch.Refused.Length);
        EventMetrics.Taken(topic, EventMetrics.Failed, failed.Count);
        EventMetrics.Taken(topic, EventMetrics.Handled, batch.Messages.Length - failed.Count);
        foreach (var message in batch.Messages)
        {
            EventMetrics.Arrived(topic, batch.Subscriber.Time.GetUtcNow() - message.Envelope.OccurredAt);
        }
    }

    private static bool Passes(Exception exception, bool isSlow) =>
        DatabaseAway.IsToldBy(exception)
        || exception is PostgresException { IsTransient: true }
        || (isSlow && DatabaseAway.IsTooSlow(exception));

    /// <summary>The kind of failure; messages of exceptions may quote what the event holds.</summary>
    private static string Reason(Exception exception) =>
        exception is PostgresException postgres
            ? $"failed: {postgres.SqlState} {postgres.ConstraintName}".TrimEnd()
            : $"failed: {exception.GetType().Name}";

    private sealed record Message(byte[] Body, EventEnvelope<T> Envelope);

    private sealed record Batch(
        Message[] Messages,
        DeadLetter[] Refused,
        Subscriber Subscriber,
        IServiceProvider Services,
        CancellationToken Cancel
    );

    private static class Sql
    {
        public const string Enter = """
            INSERT INTO inbox_events (subscriber, event_id, received_at)
            SELECT @Subscriber, event_id, @ReceivedAt
              FROM unnest(@EventIds) AS e (event_id)
                ON CONFLICT DO NOTHING
            RETURNING event_id
            """;
    }
}

/// <summary>What every topic's endpoint needs of its service.</summary>
internal sealed record Subscriber(
    Database Database,
    ConsumerPause Pause,
    TimeProvider Time,
    ServiceIdentity Service,
    ILogger<Subscriber> Log
);
