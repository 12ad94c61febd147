using LocalPlus.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace LocalPlus.Hosting;

/// <summary>
/// Where the sidecar delivers, one event or, with a bulk subscription, many. What is no event, is refused or fails
/// twice
/// becomes a row of dead_letters and is answered with success: the broker is asked again only while the database is
/// away.
/// </summary>
public static class Events
{
    /// <summary>
    /// A hundred events of the broker's largest would not fit, a hundred of ours do forty times over.
    /// </summary>
    private const int MaxDeliveryBytes = 16 * 1024 * 1024;

    /// <summary>
    /// Handles a topic at POST /events/{topic}, event by event; the handler's writes commit with the inbox row.
    /// </summary>
    public static IEndpointRouteBuilder MapEvent<T>(
        this IEndpointRouteBuilder events,
        string topic,
        Func<EventEnvelope<T>, DbSession, IServiceProvider, Task> handler
    ) =>
        events.MapEvents<T>(
            topic,
            async (batch, db, services) =>
            {
                foreach (var envelope in batch)
                {
                    await handler(envelope, db, services);
                }
            }
        );

    /// <summary>As <see cref="MapEvent"/>, for handlers that have statements for whole sets of events.</summary>
    /// <param name="repeats">Harmless for a handler whose own rows already know an event that comes again.</param>
    public static IEndpointRouteBuilder MapEvents<T>(
        this IEndpointRouteBuilder events,
        string topic,
        Func<IReadOnlyList<EventEnvelope<T>>, DbSession, IServiceProvider, Task> handler,
        Repeats repeats = Repeats.StopAtInbox
    )
    {
        var consumer = new Consumer<T>(topic, handler, repeats);
        events
            .MapPost(
                $"/{topic}",
                (HttpContext http, Subscriber subscriber, CancellationToken cancel) =>
                    ReceiveAsync(
                        http,
                        arrivals => consumer.TakeAsync(arrivals, subscriber, http.RequestServices, cancel),
                        cancel
                    )
            )
            .WithMetadata((IConsumer)consumer)
            .AnswersDeliveries();
        return events;
    }

    /// <summary>
    /// What the sidecar gave up on while this service was away comes back through its dead letter topic: an event whose
    /// topic
    /// has a consumer here gets its chance, the rest is kept.
    /// </summary>
    internal static IEndpointRouteBuilder MapDeadLetters(this IEndpointRouteBuilder events)
    {
        events
            .MapPost(
                "/dead-letter",
                (HttpContext http, Subscriber subscriber, EndpointDataSource endpoints, CancellationToken cancel) =>
                    ReceiveAsync(
                        http,
                        arrivals => TakeBackAsync(arrivals, endpoints, subscriber, http.RequestServices, cancel),
                        cancel
                    )
            )
            .AnswersDeliveries();
        return events;
    }

    /// <summary>Where something else than events arrives: POST /events/{topic}, one message or many.</summary>
    internal static void MapDoor(this WebApplication app, IConsumer door, string name) =>
        app.MapEvents()
            .MapPost(
                $"/{door.Topic}",
                (HttpContext http, Subscriber subscriber, CancellationToken cancel) =>
                    ReceiveAsync(
                        http,
                        arrivals => door.TakeAsync(arrivals, subscriber, http.RequestServices, cancel),
                        cancel
                    )
            )
            .WithMetadata(door)
            .WithName(name)
            .AnswersDeliveries();

    private static void AnswersDeliveries(this RouteHandlerBuilder endpoint) =>
        endpoint
            .WithMetadata(new RequestSizeLimitAttribute(MaxDeliveryBytes))
            .Refuses(CommonFaults.BodyTooLarge)
            .Produces<DeliveryAnswer>();

    private static async Task<IResult> ReceiveAsync(
        HttpContext http,
        Func<IReadOnlyList<Arrival>, Task<bool>> take,
        CancellationToken cancel
    )
    {
        var delivery = await Delivery.ReadAsync(http.Request.Body, cancel);
        var isTaken = await take(delivery.Arrivals);
        return Answer.Ok(delivery.Answer(again: !isTaken));
    }

    private static async Task<bool> TakeBackAsync(
        IReadOnlyList<Arrival> arrivals,
        EndpointDataSource endpoints,
        Subscriber subscriber,
        IServiceProvider services,
        CancellationToken cancel
    )
    {
        foreach (var arrival in arrivals)
        {
            var topic = DeadLetters.TopicOf(arrival.Body);
            var consumer = endpoints
                .Endpoints.Select(endpoint => endpoint.Metadata.GetMetadata<IConsumer>())
                .FirstOrDefault(c => c?.Topic == topic);
            if (!await (consumer ?? new NobodysConsumer(topic)).TakeAsync([arrival], subscriber, services, cancel))
            {
                return false;
            }
        }

        return true;
    }
}
