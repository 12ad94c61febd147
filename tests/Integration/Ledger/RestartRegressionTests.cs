using System.Diagnostics;
using Grpc.Core;
using LocalPlus.Servers;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>Complaints about other ledgers that need a server to die.</summary>
[Collection(Strain.Name)]
public sealed class RestartRegressionTests
{
    // It was minutes; a busy machine needs seconds.
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(30);

    /// <summary>588 had been acknowledged with 201; after a restart of PostgreSQL there were 101.</summary>
    [Fact]
    public async Task Midaz_1270_every_acknowledged_posting_is_there_after_postgres_died()
    {
        await using var postgres = await PostgresServer.StartAsync(new() { IsDurable = true });
        var ledger = new LedgerFixture { Server = postgres };
        await ledger.InitializeAsync();
        var (clearing, card) = (
            await ledger.OpenAsync("clearing", unbounded: true),
            await ledger.OpenAsync("midaz-1270")
        );

        var acknowledged = await Task.WhenAll(
            Enumerable.Range(0, 588).Select(i => ledger.PostAsync($"midaz-1270-{i}", clearing, card, 1))
        );
        await postgres.KillAsync();
        await postgres.StartAgainAsync();

        Assert.Equal(588, acknowledged.Length);
        await Eventually.TrueAsync(async () => await PostedAsync(ledger, card) == 588);
        await ledger.DisposeAsync();
    }

    /// <summary>
    /// A lock that a dead request had left behind answered its retries with "in progress" for minutes.
    /// </summary>
    [Fact]
    public async Task Midaz_1799_a_key_whose_request_died_with_the_service_is_answered_at_once()
    {
        var ledger = new LedgerFixture { IsProcess = true };
        await ledger.InitializeAsync();
        var (clearing, card) = (
            await ledger.OpenAsync("clearing", unbounded: true),
            await ledger.OpenAsync("midaz-1799")
        );
        var died = Enumerable
            .Range(0, 200)
            .Select(i => ledger.PostAsync($"midaz-1799-{i}", clearing, card, 1))
            .ToList();
        ledger.Kill();
        await Task.WhenAny(Task.WhenAll(died));
        await ledger.Service.DisposeAsync();
        await ledger.StartAsync();

        var clock = Stopwatch.StartNew();
        await Task.WhenAll(
            Enumerable.Range(0, 200).Select(i => ledger.PostAsync($"midaz-1799-{i}", clearing, card, 1))
        );

        Assert.InRange(clock.Elapsed, TimeSpan.Zero, AtOnce);
        Assert.Equal(200, (await ledger.GetAsync(card)).Posted);
        await ledger.DisposeAsync();
    }

    private static async Task<long?> PostedAsync(LedgerFixture ledger, string account)
    {
        try
        {
            return (await ledger.GetAsync(account)).Posted;
        }
        catch (RpcException)
        {
            return null;
        }
    }
}
