using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>
/// Where the sidecar delivers. Each event runs in one transaction with its inbox row, so its effect happens once however
/// often it is delivered; what can not be read is dropped to the dead-letter topic, what fails is tried again by the
/// subscription's resiliency policy and then dead-lettered, and dead letters end in this service's own table.
/// </summary>
public static class Events
{
    private static readonly IResult Success = Results.Text("""{"status":"SUCCESS"}""", "application/json");
    private static readonly IResult Drop = Results.Text("""{"status":"DROP"}""", "application/json");

    /// <summary>Handles a topic at POST /events/{topic}; the handler's writes commit together with the inbox row.</summary>
    public static void MapEvent<T>(
        this IEndpointRouteBuilder events, string topic, Func<EventEnvelope<T>, DbSession, IServiceProvider, Task> handler)
    {
        events.MapPost($"/{topic}", async (HttpContext http, Database database, TimeProvider time, ServiceIdentity service,
            ILogger<Database> log, CancellationToken cancel) =>
        {
            EventEnvelope<T>? envelope;
            try
            {
                envelope = await JsonSerializer.DeserializeAsync<EventEnvelope<T>>(http.Request.Body, StrictJson.Lenient, cancel);
            }
            catch (JsonException exception)
            {
                log.EventRefused(topic, exception.Message);
                return Drop;
            }

            if (envelope is null)
            {
                log.EventRefused(topic, "no data");
                return Drop;
            }

            await Failpoints.BeforeAsync("Deliver");
            await using var db = await database.BeginAsync(cancel);
            var arrival = new { Subscriber = $"{service.Name}/{topic}", EventId = envelope.Id.Value, ReceivedAt = time.GetUtcNow() };
            if (await db.ExecuteAsync(Sql.Enter, arrival) == 1)
            {
                await handler(envelope, db, http.RequestServices);
                await db.CommitAsync();
            }

            await Failpoints.CommittedAsync("Deliver");
            return Success;
        });
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
            VALUES (@Subscriber, @EventId, @ReceivedAt)
            ON CONFLICT DO NOTHING
            """;

        public const string KeepDeadLetter = """
            INSERT INTO dead_letters (topic, event_id, payload, received_at)
            VALUES (@Topic, @EventId, @Payload::jsonb, @ReceivedAt)
            ON CONFLICT (topic, event_id) DO NOTHING
            """;
    }
}
