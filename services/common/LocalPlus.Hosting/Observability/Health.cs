using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Hosting;

internal sealed record HealthEndpoint;

/// <summary>
/// Four probes on both ports. /healthz says the process answers and depends on nothing; /startupz that its database
/// does;
/// /readyz that a request would be served (<see cref="Readiness"/>); /consumerz whether the sidecar may deliver events
/// (<see cref="ConsumerPause"/>). 200 or 503, plain text.
/// </summary>
internal static class Health
{
    private static readonly string[] Probes = ["/healthz", "/startupz", "/readyz", "/consumerz"];

    public static bool IsProbe(PathString path) => Probes.Contains(path.Value, StringComparer.Ordinal);

    public static void MapHealth(this WebApplication app)
    {
        app.MapGet("/healthz", () => Results.Text("ok")).AsProbe();
        app.MapGet("/startupz", StartedAsync).AsProbe();
        app.MapGet("/readyz", ReadyAsync).AsProbe();
        app.MapGet("/consumerz", OpenAsync).AsProbe();
    }

    private static void AsProbe(this RouteHandlerBuilder probe) =>
        probe.WithMetadata(new HealthEndpoint()).AllowAnonymous().ExcludeFromDescription();

    private static async Task<IResult> StartedAsync(Readiness readiness, CancellationToken cancel) =>
        Answer(await readiness.ProblemAsync(whole: false, cancel), "started");

    private static async Task<IResult> ReadyAsync(Readiness readiness, CancellationToken cancel) =>
        Answer(await readiness.ProblemAsync(whole: true, cancel), "ready");

    private static async Task<IResult> OpenAsync(ConsumerPause pause, CancellationToken cancel) =>
        Answer(await pause.IsOpenAsync(cancel) ? null : "database away", "open");

    private static IResult Answer(string? problem, string good) =>
        problem is null
            ? Results.Text(good)
            : Results.Text(problem, statusCode: StatusCodes.Status503ServiceUnavailable);
}
