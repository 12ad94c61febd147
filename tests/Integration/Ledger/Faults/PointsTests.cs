namespace LocalPlus.Tests.Integration.Ledger.Faults;

/// <summary>Points and the liability for them, in sum, whatever is taken back.</summary>
public sealed class PointsTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    [Fact]
    public async Task Fault_12_points_and_their_liability_stay_together_through_partial_reversals()
    {
        var rest = new RestClient(ledger);
        var member = await rest.OpenAsync("linked-member", "PTS:club");
        var earned = (
            await rest.PostAsync(
                "/v1/transactions/earn",
                new
                {
                    account_id = member,
                    points = 300,
                    value = new { amount = 100, currency = "EUR" },
                }
            )
        ).String("id");
        var accounts = (await rest.GetAsync("/v1/accounts"))["data"]
            .EnumerateArray()
            .ToDictionary(a => a.GetProperty("name").GetString()!, a => a.GetProperty("id").GetString()!);
        object Of(string source, string destination, long amount) =>
            new
            {
                postings = new[]
                {
                    new
                    {
                        source,
                        destination,
                        amount,
                    },
                },
            };
        var (pool, expense, liability) = (
            accounts["points_pool"],
            accounts["merchant:points_expense"],
            accounts["merchant:points_liability"]
        );

        var value = await rest.PostAsync($"/v1/transactions/{earned}/reverse", Of(liability, expense, 10));
        Assert.Equal((422, "postings_linked"), (value.Status, value.Code));
        foreach (var points in (long[])[1, 50, 49])
        {
            Assert.Equal(
                201,
                (await rest.PostAsync($"/v1/transactions/{earned}/reverse", Of(member, pool, points))).Status
            );
            Assert.InRange(await rest.PostedAsync(liability) - (await rest.PostedAsync(member) * 100 / 300m), 0, 1);
        }

        Assert.Equal(
            201,
            (
                await rest.PostAsync(
                    "/v1/transactions/burn",
                    new
                    {
                        account_id = member,
                        points = 120,
                        value = new { amount = 40, currency = "EUR" },
                    }
                )
            ).Status
        );
        Assert.Equal(422, (await rest.PostAsync($"/v1/transactions/{earned}/reverse", Of(member, pool, 81))).Status);
        Assert.Equal(201, (await rest.PostAsync($"/v1/transactions/{earned}/reverse", Of(member, pool, 80))).Status);

        // All points are gone, and with them what is owed for them.
        Assert.Equal((0L, 0L), (await rest.PostedAsync(member), await rest.PostedAsync(liability)));
    }
}
