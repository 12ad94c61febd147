namespace LocalPlus.Perf.Workflow;

/// <summary>
/// What the real daprd does: daprd, placement and scheduler 1.18.3, Valkey 8.0.1 (appendonly), PostgreSQL 15 (fsync on)
/// on an otherwise idle machine of two cores, load generator and worker on the same two; medians of three. A figure
/// travels to another machine as a ratio only.
/// </summary>
internal static class RealDaprd
{
    /// <summary>
    /// Runs of five sequential activities that do nothing, per second on state.postgresql v2, by runs in flight.
    /// </summary>
    public static readonly IReadOnlyDictionary<int, double> RunsPerSecond = new Dictionary<int, double>
    {
        [1] = 10.7,
        [16] = 32,
        [64] = 33,
        [200] = 36,
    };

    /// <summary>CPU of all processes but the client for one such run, at 64 and more in flight.</summary>
    public const double CpuMsPerRun = 45;

    public const string AppDirectly = "the app directly";

    /// <summary>Calls per second over HTTP, keep-alive, 64 connections.</summary>
    public static readonly IReadOnlyDictionary<string, double> CallsPerSecond = new Dictionary<string, double>
    {
        [AppDirectly] = 40_600,
        ["healthz"] = 22_300,
        ["state get, redis"] = 8_400,
        ["state set, redis"] = 6_200,
        ["state get, postgresql"] = 5_700,
        ["state set, postgresql"] = 2_200,
        ["state get, in-memory"] = 14_500,
        ["state set, in-memory"] = 12_200,
        ["publish, redis streams"] = 6_500,
        ["invoke, one sidecar"] = 2_700,
        ["invoke, two sidecars"] = 1_940,
    };
}
