using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Analytics;

public sealed class WalletReportTests(AnalyticsApi api) : IClassFixture<AnalyticsApi>
{
    private const string Topic = "wallet.balance-updated.v1";

    [Fact]
    public async Task A_wallet_counts_by_its_newest_event_in_whatever_order_they_come_and_however_often()
    {
        var (shop, other) = (MerchantId.New(TimeProvider.System), MerchantId.New(TimeProvider.System));
        var key = api.Sidecar.IssueKey(shop, "reports:read");
        var (ada, ben) = (WalletId.New(TimeProvider.System), WalletId.New(TimeProvider.System));
        var newest = Updated(shop, ada, 3, ("EUR", 700), ("USD", 100));
        TestEvent[] events =
        [
            newest,
            Updated(shop, ada, 2, ("EUR", 9000), ("JPY", 5)),
            newest,
            Updated(shop, ben, 1, ("EUR", 0)),
            Updated(other, WalletId.New(TimeProvider.System), 1, ("EUR", 1)),
        ];
        foreach (var e in events)
        {
            await api.Service.DeliverAsync(Topic, e);
        }

        Assert.Equal("EUR 1 700, USD 1 100", await ReportAsync(key));
        await api.Service.DeliverRawAsync(
            Topic,
            Updated(shop, ben, 3, ("EUR", 50)).OnTheWire(),
            Updated(shop, ben, 2, ("EUR", 60)).OnTheWire(),
            Updated(shop, ada, 4).OnTheWire()
        );
        Assert.Equal("EUR 1 50", await ReportAsync(key));
    }

    private async Task<string> ReportAsync(string key) =>
        string.Join(
            ", ",
            (await api.Service.CallAsync(HttpMethod.Get, "/v1/reports/wallets", key))
                .GetProperty("data")
                .EnumerateArray()
                .Select(total =>
                {
                    var amount = total.GetProperty("amount");
                    var wallets = total.GetProperty("wallets");
                    return $"{amount.GetProperty("currency")} {wallets} {amount.GetProperty("amount")}";
                })
        );

    private static TestEvent Updated(
        MerchantId shop,
        WalletId wallet,
        long sequence,
        params (string Currency, long Posted)[] balances
    ) =>
        new(
            "wallet.balance_updated",
            wallet.ToString(),
            sequence,
            shop,
            new
            {
                wallet_id = wallet.ToString(),
                customer_id = CustomerId.New(TimeProvider.System).ToString(),
                balances = balances.Select(b => new { currency = b.Currency, posted = b.Posted }),
            }
        );
}
