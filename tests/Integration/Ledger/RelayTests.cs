using System.Diagnostics;
using System.Text.Json;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Tests.Integration.Support;
using LocalPlus.Tests.Unit.Ledger.Support;
using Xunit.Abstractions;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>
/// How fast events leave the outbox. The rate is printed; only the long form, which has the machine to itself, holds it
/// to the bar.
/// </summary>
[Collection(Strain.Name)]
public sealed class RelayTests(ITestOutputHelper output)
{
    private const int Accounts = 1_000;
    private const int AccountsPerRequest = 100;
    private const int EventsPerSecond = 2_000;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task The_outbox_is_published_whole_by_one_leader_in_bulk()
    {
        var ledger = new LedgerFixture();
        await ledger.InitializeAsync();
        var accounts = new List<string>();
        for (var i = 0; i < Accounts; i += AccountsPerRequest)
        {
            var request = new OpenAccountsRequest { MerchantId = ledger.Merchant.ToString() };
            request.Accounts.AddRange(
                Enumerable
                    .Range(i, AccountsPerRequest)
                    .Select(n => new OpenAccount
                    {
                        Name = $"a{n}",
                        Asset = "EUR",
                        Policy = AccountPolicy.Unbounded,
                    })
            );
            accounts.AddRange(
                (await ledger.Client.OpenAccountsAsync(request, ledger.Options)).Accounts.Select(a => a.AccountId)
            );
        }

        await ledger.DisownAsync();
        var rest = new RestClient(ledger);
        var bulks = LongRun.Of(1, 20);
        ledger.Sidecar.BrokerUp = false;
        for (var bulk = 0; bulk < bulks; bulk++)
        {
            var items = accounts.Select(
                (source, i) =>
                    new
                    {
                        kind = "bench",
                        postings = new[]
                        {
                            new
                            {
                                source,
                                destination = accounts[(i + bulk + 1) % Accounts],
                                amount = 1,
                            },
                        },
                    }
            );
            Assert.Equal(200, (await rest.PostAsync("/v1/transactions/bulk", new { items })).Status);
        }

        // The log's checkpoints come along on their own topic.
        IEnumerable<JsonElement> Postings() =>
            ledger.Sidecar.Published.Where(e => e.GetProperty("topic").GetString() == "ledger.transactions.v1");
        var events = bulks * Accounts * 2;
        Assert.Empty(ledger.Sidecar.Published);
        ledger.Sidecar.BrokerUp = true;
        await Eventually.TrueAsync(() => Postings().Any(), Limit);
        var clock = Stopwatch.StartNew();
        await Eventually.TrueAsync(() => Postings().Count() >= events, Limit);

        var rate = events / clock.Elapsed.TotalSeconds;
        output.WriteLine($"{events} events, {rate:0}/s");
        Assert.Equal(
            events,
            Postings()
                .Select(e => e.GetProperty("event").GetProperty("id").GetString())
                .Distinct(StringComparer.Ordinal)
                .Count()
        );
        Assert.True(!LongRun.IsOn || rate >= EventsPerSecond, $"{rate:0} events/s");
        await ledger.DisposeAsync();
    }
}
