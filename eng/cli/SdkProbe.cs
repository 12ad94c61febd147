namespace LocalPlus.Cli;

/// <summary>
/// Asks the package feed once whether the official Dapr, gRPC and Testcontainers SDKs can be had. A restore that
/// succeeds leaves them in the NuGet cache, which is the sign that eng/Sdk.props goes by; the answer is remembered.
/// </summary>
internal static class SdkProbe
{
    private const string AnswerFile = "sdk-probe.json";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    public static Answer? Remembered(Checkout checkout) => checkout.Read<Answer>(AnswerFile);

    public static async Task RunOnceAsync(Checkout checkout, CancellationToken cancel)
    {
        var key = Key(checkout);
        if (Remembered(checkout)?.Pins == key)
        {
            return;
        }

        checkout.MakeState();
        await Terminal.StepAsync(
            "asking the package feed for the official SDKs",
            async progress =>
            {
                var wire = await RestoreAsync(checkout, "LocalPlus.Probe.Wire.csproj", cancel);
                var containers = File.Exists("/var/run/docker.sock")
                    && await RestoreAsync(checkout, "LocalPlus.Probe.Containers.csproj", cancel);
                checkout.Write(AnswerFile, new Answer(key, wire, containers));
                progress.Outcome = wire ? "official" : "not to be had, the stand-ins in compat/sdk are used";
            },
            cancel);
    }

    private static async Task<bool> RestoreAsync(Checkout checkout, string project, CancellationToken cancel)
    {
        var restore = Builder.Dotnet(
            checkout, "restore", Path.Combine("eng", "probe", project), "-p:OfficialSdks=true", "-p:OfficialContainers=true") with
        {
            Limit = Limit,
        };
        restore.Environment["NUGET_ENHANCED_MAX_NETWORK_TRY_COUNT"] = "2";
        return (await restore.RunAsync(cancel)).ExitCode == 0;
    }

    /// <summary>New pins are a new question.</summary>
    private static string Key(Checkout checkout) =>
        string.Join(' ', File.ReadLines(Path.Combine(checkout.Root, "eng", "Sdk.props"))
            .Select(l => l.Trim())
            .Where(l => l.Contains("SdkVersion>", StringComparison.Ordinal)));

    internal sealed record Answer(string Pins, bool OfficialSdks, bool OfficialContainers);
}
