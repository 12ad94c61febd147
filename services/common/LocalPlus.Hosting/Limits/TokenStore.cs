using System.Globalization;
using Dapr.Client;

namespace LocalPlus.Hosting;

/// <summary>Where replicas keep together what they have taken out of their budgets.</summary>
internal interface ITokenStore
{
    /// <summary>What was taken by anybody, with the version that <see cref="TryWriteAsync"/> needs.</summary>
    Task<(TakenTokens Taken, string Version)> ReadAsync(string budget, CancellationToken cancel);

    /// <summary>False: somebody else was quicker, and nothing is written.</summary>
    Task<bool> TryWriteAsync(string budget, TakenTokens taken, string version, TimeSpan life, CancellationToken cancel);
}

/// <summary>The Dapr state component <c>cachestore</c>: one entry a budget, which its ETag guards.</summary>
internal sealed class CachedTokens(DaprClient dapr, ServiceIdentity service) : ITokenStore
{
    private const string Store = "cachestore";
    private static readonly StateOptions Guarded = new() { Concurrency = ConcurrencyMode.FirstWrite };

    public async Task<(TakenTokens Taken, string Version)> ReadAsync(string budget, CancellationToken cancel)
    {
        var (taken, version) = await dapr.GetStateAndETagAsync<Dictionary<long, long>?>(
            Store,
            Entry(budget),
            cancellationToken: cancel
        );
        return (new TakenTokens(taken ?? []), version ?? "");
    }

    public Task<bool> TryWriteAsync(
        string budget,
        TakenTokens taken,
        string version,
        TimeSpan life,
        CancellationToken cancel
    ) =>
        dapr.TrySaveStateAsync(
            Store,
            Entry(budget),
            taken.BySegment,
            version,
            Guarded,
            new Dictionary<string, string>
            {
                ["ttlInSeconds"] = ((long)life.TotalSeconds).ToString(CultureInfo.InvariantCulture),
            },
            cancel
        );

    private string Entry(string budget) => $"{service.Name}:limit:{budget}:v1";
}
