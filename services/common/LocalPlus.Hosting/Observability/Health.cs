using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace LocalPlus.Hosting;

internal sealed record HealthEndpoint;

/// <summary>
/// Three probes on both ports. /healthz says the process answers and depends on nothing; /startupz and /readyz say that the
/// database answers (the sidecar's health is its own container's business). 200 or 503, plain text.
/// </summary>
internal static class Health
{
    /// <summary>A probe answers within this or counts as failed.</summary>
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(2);

    public static void MapHealth(this WebApplication app)
    {
        Map(app, "/healthz", () => Results.Text("ok"));
        Map(app, "/startupz", Ready);
        Map(app, "/readyz", Ready);
    }

    private static void Map(WebApplication app, string path, Delegate handler) =>
        app.MapGet(path, handler).WithMetadata(new HealthEndpoint()).AllowAnonymous().ExcludeFromDescription();

    private static async Task<IResult> Ready(NpgsqlDataSource database, CancellationToken cancel)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(ProbeTimeout);
        try
        {
            await using var command = database.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(timeout.Token);
            return Results.Text("ready");
        }
        catch (Exception exception) when (exception is NpgsqlException or OperationCanceledException)
        {
            return Results.Text("database away", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }
}
