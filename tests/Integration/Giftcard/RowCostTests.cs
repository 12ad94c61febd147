using System.Text.Json;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>What the second lock on rows (ADR 0058) adds to the path of a sale, counted in statements.</summary>
public sealed partial class RowCostTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    private const int Sales = 20;

    [Fact]
    public async Task A_redemption_makes_no_session_work_for_one_merchant()
    {
        await api.RestartAsync(("Logging__LogLevel__Npgsql.Command", "Information"));
        var (_, code) = await api.SellAsync(5000);
        // The first one opens accounts.
        await RedeemAsync(code);
        var before = api.Service.Output.Length;

        for (var sale = 0; sale < Sales; sale++)
        {
            await RedeemAsync(code);
        }

        var sent = api.Service.Output[before..];
        Assert.InRange(WrittenIntent().Count(sent), Sales, int.MaxValue);
        Assert.Equal(0, ToldOne().Count(sent));

        // What a merchant reads beside that is told to the session that it gets.
        var read = api.Service.Output.Length;
        await api.GetAsync("/v1/redemptions");
        Assert.NotEqual(0, ToldOne().Count(api.Service.Output[read..]));
    }

    private Task<JsonElement> RedeemAsync(string code) =>
        api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 10), 201);

    [GeneratedRegex(@"completed[^\n]*INSERT INTO redemptions ")]
    private static partial Regex WrittenIntent();

    [GeneratedRegex(@"completed[^\n]*set_config\([$@]")]
    private static partial Regex ToldOne();
}
