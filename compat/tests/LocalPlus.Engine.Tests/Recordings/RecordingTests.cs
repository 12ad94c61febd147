using LocalPlus.Engine.Testing;
using LocalPlus.Sidecar.Workflow;
using LocalPlus.Sidecar.Workflow.Store;

namespace LocalPlus.Engine.Tests.Recordings;

/// <summary>
/// Replays the recordings of the real engine when the environment variable LP_RECORDINGS names their folder.
/// </summary>
[Collection(EngineCollection.Name)]
public sealed class RecordingTests(PostgresFixture postgres)
{
    // Not replayed, each for its reason.
    private static readonly Dictionary<string, string> LeftOut = new()
    {
        ["http_api"] = "the HTTP calls are recorded apart from the messages; the conformance suite makes them",
        ["payload_5mb"] = "the size limit is the gRPC server's",
        ["payload_5mb_input"] = "the size limit is the gRPC server's",
        ["raw_start_fields"] =
            "the real engine marks a finished run as stalled when it is terminated; a quirk that helps nobody",
        ["sidecar_killed"] = "the kill run does that a thousand times",
    };

    private static string? Folder =>
        Environment.GetEnvironmentVariable("LP_RECORDINGS") is { } root
            ? Path.Combine(root, "workflow", "scenarios")
            : null;

    public static TheoryData<string> Scenarios()
    {
        string[] names = Folder is null
            ? [""]
            :
            [
                .. Directory
                    .EnumerateFiles(Folder, "*.json")
                    .Select(file => Path.GetFileNameWithoutExtension(file)!)
                    .Where(name => !LeftOut.ContainsKey(name))
                    .Order(),
            ];
        return [.. names];
    }

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task The_engine_says_what_the_real_one_said(string scenario)
    {
        if (scenario.Length == 0)
        {
            return;
        }

        var file = Path.Combine(Folder!, scenario + ".json");
        var app = scenario.Replace('_', '-');
        await using var host = await EngineHost.StartAsync(
            new PostgresRunStore(postgres.Server.ConnectionString, app),
            new EngineSettings { AppId = app, MaxMessageBytes = 4 << 20 }
        );
        await new Replay(Recording.Load(file), host, app).RunAsync();
    }
}
