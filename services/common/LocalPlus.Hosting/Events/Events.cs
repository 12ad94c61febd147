using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>
/// Where the sidecar delivers, one event or, with a bulk subscription, many. The events of a delivery share one
/// transaction with their inbox rows, so the effect of each happens once however often it is delivered; should one of them
/// fail, each goes alone. What can not be read is dropped to the dead-letter topic, what fails is tried again by the
/// subscription's resiliency policy and then dead-lettered, and dead letters end in this service's own table.
/// </summary>
public static class Events
{
    private static readonly IResult Success = Results.Text("""{"status":"SUCCESS"}""", "application/json");
    private static readonly IResult Drop = Results.Text("""{"status":"DROP"}""", "application/json");
    private static readonly ActivitySource Source = new("LocalPlus.Events");

    /// <summary>Handles a topic at POST /events/{topic}, event by event; the handler's writes commit with the inbox row.</summary>
    public static void MapEvent<T>(
        this IEndpointRouteBuilder events, string topic, Func<EventEnvelope<T>, DbSession, IServiceProvider, Task> handler) =>
        events.MapEvents<T>(topic, async (batch, db, services) =>
        {
            foreach (var envelope in batch)
            {
                await handler(envelope, db, services);
            }
        });

    /// <summary>As <see cref="MapEvent"/>, for handlers that have statements for whole sets of events.</summary>
    public static void MapEvents<T>(
        this IEndpointRouteBuilder events, string topic, Func<IReadOnlyList<EventEnvelope<T>>, DbSession, IServiceProvider, Task> handler)
    {
        // One delivery of a topic at a time: two would only wait for each other's rows, or in a circle.
        var turn = new SemaphoreSlim(1);
        events.MapPost($"/{topic}", async (HttpContext http, Subscriber subscriber, CancellationToken cancel) =>
        {
            if (await Delivery<T>.ReadAsync(http.Request.Body, cancel) is not { } delivery)
            {
                subscriber.Log.EventRefused(topic, "not JSON");
                return Drop;
            }

            await turn.WaitAsync(cancel);
            try
            {
                return await ReceiveAsync(topic, delivery, subscriber, envelopes => TransactAsync(topic, envelopes, subscriber, handler, http.RequestServices, cancel));
            }
            finally
            {
                turn.Release();
            }
        });
    }

    private static async Task<IResult> ReceiveAsync<T>(
        string topic, Delivery<T> delivery, Subscriber subscriber, Func<IReadOnlyList<EventEnvelope<T>>, Task> transact)
    {
        foreach (var entry in delivery.Entries.Where(entry => entry.Envelope is null))
        {
            subscriber.Log.EventRefused(topic, entry.Problem);
        }

        EventEnvelope<T>[] readable = [.. delivery.Entries.Select(entry => entry.Envelope).OfType<EventEnvelope<T>>()];
        using var activity = Source.StartActivity(
            $"process {topic}", ActivityKind.Consumer, delivery.Parent, links: delivery.Links);
        if (!delivery.IsBulk)
        {
            if (readable.Length == 0)
            {
                return Drop;
            }

            await transact(readable);
            return Success;
        }

        var failed = await FailedAsync(topic, readable, subscriber, transact);
        return Results.Text(JsonSerializer.Serialize(delivery.Answer(failed)), "application/json");
    }

    /// <summary>Handles the events together, else alone; gives those that are to be delivered again.</summary>
    private static async Task<HashSet<LocalPlus.Kernel.EventId>> FailedAsync<T>(
        string topic, EventEnvelope<T>[] envelopes, Subscriber subscriber, Func<IReadOnlyList<EventEnvelope<T>>, Task> transact)
    {
        try
        {
            if (envelopes.Length > 0)
            {
                await transact(envelopes);
            }

            return [];
        }
        catch (Exception exception) when (envelopes.Length == 1 || DatabaseAway.IsToldBy(exception))
        {
            subscriber.Log.EventsFailed(topic, envelopes[0].Id.ToString(), envelopes.Length, exception);
            return [.. envelopes.Select(envelope => envelope.Id)];
        }
        catch (Exception exception)
        {
            subscriber.Log.EventsSplit(topic, envelopes.Length, exception);
            var failed = new HashSet<LocalPlus.Kernel.EventId>();
            foreach (var envelope in envelopes)
            {
                failed.UnionWith(await FailedAsync(topic, [envelope], subscriber, transact));
            }

            return failed;
        }
    }

    private static async Task TransactAsync<T>(
        string topic, IReadOnlyList<EventEnvelope<T>> envelopes, Subscriber subscriber,
        Func<IReadOnlyList<EventEnvelope<T>>, DbSession, IServiceProvider, Task> handler, IServiceProvider services, CancellationToken cancel)
    {
        await Failpoints.BeforeAsync("Deliver");
        await using var db = await subscriber.Database.BeginAsync(cancel);
        var arrived = await db.QueryAsync<Guid>(Sql.Enter, new
        {
            Subscriber = $"{subscriber.Service.Name}/{topic}",
            EventIds = envelopes.Select(envelope => envelope.Id.Value).ToArray(),
            ReceivedAt = subscriber.Time.GetUtcNow(),
        });
        if (arrived.Count > 0)
        {
            var fresh = arrived.ToHashSet();
            await handler([.. envelopes.Where(envelope => fresh.Remove(envelope.Id.Value))], db, services);
            await db.CommitAsync();
        }

        await Failpoints.CommittedAsync("Deliver");
    }

    internal static void MapDeadLetters(this IEndpointRouteBuilder events) =>
        events.MapPost("/dead-letter", async (HttpContext http, Database database, TimeProvider time,
            ILogger<Database> log, CancellationToken cancel) =>
        {
            using var reader = new StreamReader(http.Request.Body);
            var payload = await reader.ReadToEndAsync(cancel);
            var letter = new
            {
                Topic = http.Request.Headers["Cloudevent.topic"].ToString(),
                EventId = http.Request.Headers["Cloudevent.id"].ToString(),
                Payload = IsJson(payload) ? payload : JsonSerializer.Serialize(payload),
                ReceivedAt = time.GetUtcNow(),
            };
            await using var db = await database.BeginAsync(cancel);
            await db.ExecuteAsync(Sql.KeepDeadLetter, letter);
            await db.CommitAsync();
            log.DeadLetterKept(letter.Topic, letter.EventId);
            return Success;
        });

    private static bool IsJson(string text)
    {
        try
        {
            using var _ = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static class Sql
    {
        public const string Enter = """
            INSERT INTO inbox_events (subscriber, event_id, received_at)
            SELECT @Subscriber, event_id, @ReceivedAt
              FROM unnest(@EventIds) AS e (event_id)
                ON CONFLICT DO NOTHING
            RETURNING event_id
            """;

        public const string KeepDeadLetter = """
            INSERT INTO dead_letters (topic, event_id, payload, received_at)
            VALUES (@Topic, @EventId, @Payload::jsonb, @ReceivedAt)
            ON CONFLICT (topic, event_id) DO NOTHING
            """;
    }
}

/// <summary>What every topic's endpoint needs of its service.</summary>
internal sealed record Subscriber(Database Database, TimeProvider Time, ServiceIdentity Service, ILogger<Database> Log);
