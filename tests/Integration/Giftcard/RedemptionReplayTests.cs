using Dapr.Workflow;
using LocalPlus.Workflows;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>
/// Runs of every released version, recorded on the running stack, against the code of today. A difference means that
/// runs which wait in production would break: write the change as a new version beside the old one.
/// </summary>
public sealed class RedemptionReplayTests
{
    /// <summary>Every way through RedemptionV1; recorded by `dotnet run --project tests/Crash record`.</summary>
    private static readonly string[] Paths =
    [
        "cancel",
        "compensation",
        "confirm",
        "expiry",
        "immediate",
        "partial-confirm",
        "poll",
        "retry",
        "settle",
        "suspend",
    ];

    public static TheoryData<string> Recorded => [.. Paths];

    [Theory]
    [MemberData(nameof(Recorded))]
    public async Task RedemptionV1_decides_as_it_did_when_this_run_was_recorded(string path)
    {
        await using var replayer = await Replayer.StartAsync(workflows => workflows.RegisterWorkflow<RedemptionV1>());

        Assert.Empty(await replayer.ReplayAsync(History(path)));
    }

    [Fact]
    public async Task A_change_of_steps_is_noticed()
    {
        await using var replayer = await Replayer.StartAsync(workflows =>
            workflows.RegisterWorkflow<Changed>(nameof(RedemptionV1))
        );

        foreach (var path in Paths)
        {
            Assert.NotEmpty(await replayer.ReplayAsync(History(path)));
        }
    }

    [Fact]
    public void Every_recording_is_replayed() =>
        Assert.Equal(
            Paths,
            Directory
                .EnumerateFiles(Folder, "*.json")
                .Select(f => Path.GetFileNameWithoutExtension(f)!)
                .Order(StringComparer.Ordinal)
        );

    private static string Folder
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder.FullName, "LocalPlus.sln")))
            {
                folder = folder.Parent ?? throw new InvalidOperationException("The tests run inside the checkout.");
            }

            return Path.Combine(folder.FullName, "workflows", "histories", nameof(RedemptionV1));
        }
    }

    private static IReadOnlyList<Dapr.DurableTask.Protobuf.HistoryEvent> History(string path) =>
        Replayer.Read(File.ReadAllText(Path.Combine(Folder, $"{path}.json")));

    /// <summary>The same run with one step more at its start.</summary>
    private sealed class Changed : Workflow<RedemptionRun, RedemptionOutcome>
    {
        public override async Task<RedemptionOutcome> RunAsync(WorkflowContext context, RedemptionRun input)
        {
            await context.CallActivityAsync<object?>("CheckFraud", input);
            return await new RedemptionV1().RunAsync(context, input);
        }
    }
}
