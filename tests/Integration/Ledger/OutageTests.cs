using System.Diagnostics;
using LocalPlus.Servers;
using LocalPlus.Tests.Integration.Ledger.Model;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>
/// PostgreSQL away, frozen, locked, slow and full: the caller gets 503 with Retry-After within the deadline, nothing is
/// half written, and the ledger recovers by itself once the database does.
/// </summary>
[Collection(Strain.Name)]
[Trait("Run", "named")]
public sealed class OutageTests : IAsyncLifetime
{
    /// <summary>The ledger's own deadline is 6 s; the rest is what a busy machine needs to say so.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Filling = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(90);
    private const int Callers = 20;
    private const long DiskBytes = 160 << 20;
    private PostgresServer postgres = null!;
    private LedgerFixture ledger = null!;
    private RestClient rest = null!;
    private string clearing = "";
    private string card = "";

    public async Task InitializeAsync()
    {
        postgres = await PostgresServer.StartAsync(new() { IsDurable = true, DiskBytes = DiskBytes });
        ledger = new LedgerFixture { Server = postgres };
        await ledger.InitializeAsync();
        rest = new RestClient(ledger);
        (clearing, card) = (await rest.OpenAsync("outside", unbounded: true), await rest.OpenAsync("card"));
    }

    public async Task DisposeAsync()
    {
        await ledger.DisposeAsync();
        await postgres.DisposeAsync();
    }

    [Fact]
    public async Task Away_is_503_and_it_recovers_by_itself()
    {
        await rest.TransferAsync(clearing, card, 1);
        await postgres.StopAsync();

        await RequireBusyAsync();
        Assert.Equal(503, (await rest.GetAsync($"/v1/accounts/{card}")).Status);
        using var live = await ledger.Service.Public.GetAsync(new Uri("/healthz", UriKind.Relative));
        Assert.True(live.IsSuccessStatusCode, "Without its database the service is not ready, but it lives.");

        await postgres.StartAgainAsync();
        await RequireRecoveryAsync();
    }

    [Fact]
    public async Task Frozen_is_503_within_the_deadline()
    {
        await rest.TransferAsync(clearing, card, 1);
        postgres.Freeze();

        await RequireBusyAsync();

        postgres.Thaw();
        await RequireRecoveryAsync();
    }

    [Fact]
    public async Task Locked_tables_are_503_within_the_deadline()
    {
        await rest.TransferAsync(clearing, card, 1);
        await using (var connection = new NpgsqlConnection(ledger.Database.OwnerConnectionString))
        {
            await connection.OpenAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using var command = new NpgsqlCommand(
                "LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE",
                connection,
                transaction
            );
            await command.ExecuteNonQueryAsync();

            await RequireBusyAsync();
        }

        await RequireRecoveryAsync();
    }

    [Fact]
    public async Task A_statement_that_takes_too_long_is_503_within_the_deadline()
    {
        await rest.TransferAsync(clearing, card, 1);
        await ledger.Database.AsOwnerAsync(
            "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(8); RETURN NEW; END'"
        );
        await ledger.Database.AsOwnerAsync(
            "CREATE TRIGGER dawdle BEFORE INSERT ON transactions FOR EACH STATEMENT EXECUTE FUNCTION dawdle()"
        );

        await RequireBusyAsync();

        await ledger.Database.AsOwnerAsync("DROP TRIGGER dawdle ON transactions");
        await RequireRecoveryAsync();
    }

    [Fact]
    public async Task A_slow_database_is_slow_and_not_an_error()
    {
        await ledger.Database.AsOwnerAsync(
            "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.2); RETURN NEW; END'"
        );
        await ledger.Database.AsOwnerAsync(
            "CREATE TRIGGER linger BEFORE INSERT ON transactions FOR EACH STATEMENT EXECUTE FUNCTION linger()"
        );

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => rest.TransferAsync(clearing, card, 1)));

        Assert.All(answers, answer => Assert.Equal(201, answer.Status));
    }

    [Fact]
    public async Task A_full_disk_is_503_and_leaves_nothing_half_written()
    {
        await rest.TransferAsync(clearing, card, 1);
        await postgres.FillDiskAsync();
        var (refused, done) = (0, 1L);
        await Eventually.TrueAsync(
            async () =>
            {
                foreach (
                    var answer in await Task.WhenAll(
                        Enumerable.Range(0, Callers).Select(_ => rest.TransferAsync(clearing, card, 1))
                    )
                )
                {
                    Assert.True(answer.Status is 201 or 503, answer.Text);
                    (done, refused) = answer.Status == 201 ? (done + 1, refused) : (done, refused + 1);
                    Assert.True(
                        answer.Status == 201 || answer.Headers.RetryAfter is not null,
                        "503 says when to come back"
                    );
                }

                return refused > 100;
            },
            Filling
        );

        postgres.EmptyDisk();
        await RequireRecoveryAsync();
        await using var database = NpgsqlDataSource.Create(ledger.Database.ConnectionString);
        var state = await PostgresBooks.ReadAsync(database, ledger.Merchant);
        state.RequireInvariants();
        Assert.True(state.Transactions.Count > done, "What was acknowledged is there.");
    }

    private async Task RequireBusyAsync()
    {
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, Callers)
                .Select(async i =>
                {
                    var clock = Stopwatch.StartNew();
                    return (Answer: await rest.TransferAsync(clearing, card, 1, key: $"unknown-{i}"), clock.Elapsed);
                })
        );
        Assert.All(
            answers,
            answer =>
            {
                Assert.True(answer.Answer is { Status: 503, Code: "busy" or "overloaded" }, answer.Answer.Text);
                Assert.NotNull(answer.Answer.Headers.RetryAfter);
                Assert.InRange(answer.Elapsed, TimeSpan.Zero, Deadline);
            }
        );
    }

    /// <summary>The keys whose outcome nobody knew have one effect each, and the books are right.</summary>
    private async Task RequireRecoveryAsync()
    {
        var before = 0L;
        await Eventually.TrueAsync(
            async () => (await rest.TransferAsync(clearing, card, 1, key: "recovered")).Status == 201,
            Recovery
        );
        for (var i = 0; i < Callers; i++)
        {
            await Eventually.TrueAsync(
                async () => (await rest.TransferAsync(clearing, card, 1, key: $"unknown-{i}")).Status == 201,
                Recovery
            );
            before++;
        }

        var posted = await rest.PostedAsync(card);
        Assert.True(posted >= before + 1, $"{posted} posted");
        for (var i = 0; i < Callers; i++)
        {
            Assert.True((await rest.TransferAsync(clearing, card, 1, key: $"unknown-{i}")).IsReplay);
        }

        Assert.Equal(posted, await rest.PostedAsync(card));
        await using var database = NpgsqlDataSource.Create(ledger.Database.ConnectionString);
        (await PostgresBooks.ReadAsync(database, ledger.Merchant)).RequireInvariants();
    }
}
