using System.Text.Json;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>The workflow engine is away and more runs wait for their start than the threshold allows.</summary>
public sealed class RunBacklogTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    private const int Threshold = 3;

    [Fact]
    public async Task Under_backlog_immediate_redemptions_finish_inline_with_the_same_steps_and_holds_wait_for_the_engine()
    {
        await api.RestartAsync(("workflow__BacklogThreshold", $"{Threshold}"));
        var (_, code) = await api.SellAsync(10_000);
        var held = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 100, "two_phase"), 201))
            .GetProperty("id")
            .GetString()!;
        var later = new List<string>();
        for (var i = 0; i < 3 * Threshold; i++)
        {
            later.Add(
                (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 100), 201))
                    .GetProperty("id")
                    .GetString()!
            );
        }

        // The first of them were offered to the engine and wait for it; those that came when enough waited are not.
        string? inline = null;
        await Eventually.TrueAsync(async () =>
        {
            foreach (var id in later)
            {
                inline = await StateAsync(id) == "finished" ? id : inline;
            }

            return inline is not null;
        });

        var run = await api.InspectAsync($"/ops/v1/runs/{inline}");
        Assert.Equal("inline", run.GetProperty("run").GetProperty("engine").GetString());
        var step = Assert.Single(run.GetProperty("steps").EnumerateArray().ToArray());
        Assert.Equal(
            ("AdvanceRedemption", "done"),
            (step.GetProperty("step").GetString(), step.GetProperty("state").GetString())
        );
        Assert.Equal(
            ["accepted", "completed", "run_finished"],
            run.GetProperty("timeline").EnumerateArray().Select(e => e.GetProperty("kind").GetString())
        );
        Assert.Equal("pending", await StateAsync(held));
    }

    private async Task<string?> StateAsync(string id)
    {
        JsonElement run = await api.InspectAsync($"/ops/v1/runs/{id}");
        return run.GetProperty("run").GetProperty("run_state").GetString();
    }
}
