using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>
/// When a service may have requests: its database answers, and its sidecar and the service that it asks about API keys
/// have
/// answered it once. The first request after that finds the way that it takes already gone. Later only the database
/// counts: a
/// sidecar that is away for a moment is retried, and known keys outlive merchant's absence for a while.
/// </summary>
internal sealed class Readiness(
    NpgsqlDataSource database,
    IApiKeyVerifier keys,
    IConfiguration configuration,
    ILogger<Readiness> log
)
{
    /// <summary>A probe answers within this or counts as failed.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private volatile bool wasReady;

    /// <summary>Null, or what is missing.</summary>
    /// <param name="whole">False: the database alone, so that a service is not ended for another one's absence.</param>
    public async Task<string?> ProblemAsync(bool whole, CancellationToken cancel)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(Timeout);
        try
        {
            if (await DatabaseProblemAsync(timeout.Token) is { } away)
            {
                return away;
            }

            if (wasReady || !whole)
            {
                return null;
            }

            var problem =
                await SidecarProblemAsync(timeout.Token)
                ?? (keys is IPeerPath path ? await path.ProbeAsync(timeout.Token) : null);
            if (problem is null)
            {
                wasReady = true;
                log.BecameReady();
            }

            return problem;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return "no answer in time";
        }
    }

    private async Task<string?> DatabaseProblemAsync(CancellationToken cancel)
    {
        try
        {
            await using var command = database.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(cancel);
            return null;
        }
        catch (NpgsqlException)
        {
            return "database away";
        }
    }

    private async Task<string?> SidecarProblemAsync(CancellationToken cancel)
    {
        using var client = new HttpClient { BaseAddress = SidecarAddress.Of(configuration) };
        if (configuration["DAPR_API_TOKEN"] is { Length: > 0 } token)
        {
            client.DefaultRequestHeaders.Add("dapr-api-token", token);
        }

        try
        {
            using var answer = await client.GetAsync(new Uri("/v1.0/healthz/outbound", UriKind.Relative), cancel);
            return answer.StatusCode == HttpStatusCode.NoContent ? null : "sidecar not ready";
        }
        catch (HttpRequestException)
        {
            return "sidecar away";
        }
    }
}
