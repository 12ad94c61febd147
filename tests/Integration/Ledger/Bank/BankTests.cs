using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using LocalPlus.Servers;
using LocalPlus.Tests.Integration.Ledger.History;
using LocalPlus.Tests.Integration.Ledger.Model;
using LocalPlus.Tests.Unit.Ledger.Support;
using Npgsql;
using Xunit.Abstractions;

namespace LocalPlus.Tests.Integration.Ledger.Bank;

/// <summary>
/// The ledger as a whole under kills, and the checker's own test: the same without row locks has to be caught.
/// </summary>
[Collection(Strain.Name)]
[Trait("Run", "named")]
public sealed class BankTests(ITestOutputHelper output)
{
    private const int Tills = 12;
    private const int RepliesAskedAgain = 3_000;
    private static readonly TimeSpan BackAgain = TimeSpan.FromMinutes(4);
    private readonly int seed = LongRun.Seed is [var text, ..]
        ? int.Parse(text, CultureInfo.InvariantCulture)
        : Random.Shared.Next();

    [Fact]
    public async Task No_acknowledged_transaction_is_lost_however_often_the_service_and_postgres_are_killed()
    {
        output.WriteLine($"LP_SEED={seed}");
        await using var postgres = await PostgresServer.StartAsync(new() { IsDurable = true });
        var ledger = new LedgerFixture { Server = postgres, IsProcess = true };
        await ledger.InitializeAsync();
        var bank = new Bank(ledger, seed);
        await bank.OpenAsync();
        using var closing = new CancellationTokenSource();
        var work = bank.WorkAsync(Tills, closing.Token);

        for (var fault = 0; fault < LongRun.Of(4, 60); fault++)
        {
            await DisturbAsync(bank, ledger, postgres, fault);
        }

        await bank.MoreAsync(200, BackAgain);
        await closing.CancelAsync();
        await work;

        output.WriteLine(
            $"{bank.Acknowledged} answers, {bank.Unknown} of them asked for again, {bank.Reads.Count} reads"
        );
        Assert.Empty(bank.Unexpected);
        await RequireEveryAnswerAsync(bank);
        Assert.Empty(HistoryChecker.Find(await bank.WritesAsync(), bank.Times(), [.. bank.Reads]));
        await using var database = NpgsqlDataSource.Create(ledger.Database.ConnectionString);
        (await PostgresBooks.ReadAsync(database, ledger.Merchant)).RequireInvariants();
        await ledger.DisposeAsync();
    }

    [Fact]
    public async Task The_same_ledger_without_its_row_locks_is_caught()
    {
        using var unlocked = new UnlockedLedger();
        for (var round = 0; round < LongRun.Of(1, 5); round++)
        {
            var ledger = new LedgerFixture { Program = unlocked.Program };
            await ledger.InitializeAsync();
            var bank = new Bank(ledger, seed + round) { Insists = false };
            await bank.OpenAsync();
            using var closing = new CancellationTokenSource();
            var work = bank.WorkAsync(Tills, closing.Token);
            await bank.MoreAsync(1_000, BackAgain);
            await closing.CancelAsync();
            await work;

            var anomalies = HistoryChecker.Find(await bank.WritesAsync(), bank.Times(), [.. bank.Reads]);

            output.WriteLine(string.Join(", ", anomalies.Select(a => $"{a.Kind} of {a.Operations.Count}")));
            Assert.NotEmpty(anomalies);
            await ledger.DisposeAsync();
        }
    }

    private async Task DisturbAsync(Bank bank, LedgerFixture ledger, PostgresServer postgres, int fault)
    {
        await bank.MoreAsync(new Random(HashCode.Combine(seed, fault)).Next(100, 400), BackAgain);
        var (service, database) = (fault % 4 is 0 or 3, fault % 4 is 1 or 3);
        if (database)
        {
            await postgres.KillAsync();
        }

        if (service)
        {
            ledger.Kill();
        }

        if (fault % 4 == 2)
        {
            await postgres.StopAsync();
        }

        if (!service || database)
        {
            await postgres.StartAgainAsync();
        }

        if (service)
        {
            await ledger.Service.DisposeAsync();
            await ledger.StartAsync();
        }
    }

    /// <summary>What a till was told is in the books, and its key is answered with the same bytes.</summary>
    private async Task RequireEveryAnswerAsync(Bank bank)
    {
        var written = (await bank.WritesAsync()).Select(write => write.Transaction).ToHashSet(StringComparer.Ordinal);
        Assert.All(
            bank.Answers.Select(a => Bank.TransactionOf(a.Answer)).Where(id => id.Length > 0),
            id => Assert.Contains(id, written)
        );
        var random = new Random(seed);
        foreach (var some in bank.Answers.OrderBy(_ => random.Next()).Take(RepliesAskedAgain).Chunk(Tills))
        {
            await Task.WhenAll(
                some.Select(async told =>
                {
                    if (told.Refusal is { } code)
                    {
                        Assert.Equal(
                            code,
                            (await Assert.ThrowsAsync<RpcException>(told.Again)).Trailers.GetValue("localplus-code")
                        );
                    }
                    else
                    {
                        Assert.Equal(told.Answer!.ToByteString(), (await told.Again()).ToByteString());
                    }
                })
            );
        }
    }
}
