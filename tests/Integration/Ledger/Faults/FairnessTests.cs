using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger.Faults;

/// <summary>One merchant's heaps beside another's tills.</summary>
public sealed class FairnessTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    private const int Clients = 16;
    private const int Items = 1_000;

    /// <summary>
    /// While the flood lasts, whatever the machine: each of the other's postings is answered, and never with
    /// busy.
    /// </summary>
    [Fact]
    public async Task Fault_05_a_flood_of_dry_runs_never_makes_another_merchant_hear_busy()
    {
        var (flooder, other) = (new RestClient(ledger), new RestClient(ledger, MerchantId.New(TimeProvider.System)));
        var (from, to) = (await flooder.OpenAsync("flood-from", unbounded: true), await flooder.OpenAsync("flood-to"));
        var (till, card) = (await other.OpenAsync("till", unbounded: true), await other.OpenAsync("card"));
        var items = Enumerable
            .Repeat(
                new
                {
                    kind = "dry",
                    postings = new[]
                    {
                        new
                        {
                            source = from,
                            destination = to,
                            amount = 1,
                        },
                    },
                },
                Items
            )
            .ToArray();

        var flood = Task.WhenAll(
            Enumerable
                .Range(0, Clients)
                .Select(_ => flooder.PostAsync("/v1/transactions/bulk?dry_run=true", new { items }))
        );
        var posted = 0L;
        do
        {
            var answer = await other.TransferAsync(till, card, 1);
            Assert.True(answer.Status == 201, answer.Text);
            posted++;
        } while (!flood.IsCompleted);

        // Those that came while as many were under way as one merchant may have are told so; nobody is told busy.
        var answers = await flood;
        Assert.All(
            answers,
            answer => Assert.True(answer.Status == 200 || answer.Code == "quota_exceeded", answer.Text)
        );
        Assert.Contains(answers, answer => answer.Status == 200);
        Assert.Equal((posted, 0L), (await other.PostedAsync(card), await flooder.PostedAsync(to)));
    }

    /// <summary>A lock that only a writer would take is held by the test for as long as the dry run takes.</summary>
    [Fact]
    public async Task Fault_05_a_dry_run_waits_for_no_lock_and_takes_none()
    {
        var rest = new RestClient(ledger);
        var (from, to) = (await rest.OpenAsync("locked-from", unbounded: true), await rest.OpenAsync("locked-to"));
        await using var source = NpgsqlDataSource.Create(ledger.Database.OwnerConnectionString);
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (
            var locking = new NpgsqlCommand(
                "SELECT account_id FROM accounts WHERE name LIKE 'locked-%' FOR UPDATE",
                connection
            )
        )
        {
            await locking.ExecuteNonQueryAsync();
        }

        var dry = await rest.TransferAsync(from, to, 5, query: "?dry_run=true");

        Assert.Equal(
            (201, "[]"),
            (dry.Status, (await rest.GetAsync($"/v1/accounts/{to}/entries"))["data"].GetRawText())
        );
        await transaction.RollbackAsync();
    }
}
