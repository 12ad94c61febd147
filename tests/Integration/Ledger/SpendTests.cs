using LocalPlus.Contracts.Ledger.V1;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>Immediate redemptions: hold and capture in one command, many commands in one call.</summary>
public sealed class SpendTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    [Fact]
    public async Task What_is_spent_at_once_is_a_transaction_that_can_be_read_and_reversed_and_no_hold()
    {
        var (card, till, issuer) = (
            await ledger.FundAsync("spend-1", 1_000),
            await OpenAsync("spend-till-1"),
            await OpenAsync("spend-issuer-1")
        );
        var request = Spend("spend-1", card, till, 400);
        request.Sources[0].ShareBasisPoints = 1_000;
        request.ShareAccountId = issuer;

        var spent = (await ledger.Client.SpendAsync(request, ledger.Options)).Spent;
        var again = (await ledger.Client.SpendAsync(request, ledger.Options)).Spent;

        Assert.Equal(spent, again);
        Assert.Equal(
            (400L, 400L, 40L, 600L),
            (spent.Requested, spent.Amount, spent.Share, spent.Items.Single().AvailableAfter)
        );
        Assert.Equal((600L, 360L, 40L), (await PostedAsync(card), await PostedAsync(till), await PostedAsync(issuer)));
        Assert.Equal(
            "not_found",
            await LedgerFixture.RefusalAsync(async () =>
                await ledger.Client.GetHoldAsync(
                    new GetHoldRequest { MerchantId = ledger.Merchant.ToString(), Reference = "spend-1" },
                    ledger.Options
                )
            )
        );
        await ledger.Client.ReverseTransactionAsync(
            new ReverseTransactionRequest
            {
                MerchantId = ledger.Merchant.ToString(),
                IdempotencyKey = "spend-1-back",
                TransactionId = spent.TransactionId,
            },
            ledger.Options
        );
        Assert.Equal((1_000L, 0L, 0L), (await PostedAsync(card), await PostedAsync(till), await PostedAsync(issuer)));
    }

    [Fact]
    public async Task Each_operation_of_a_call_has_its_own_outcome()
    {
        var (card, till) = (await ledger.FundAsync("batch-1", 100), await OpenAsync("batch-till-1"));
        var placed = ledger.HoldOf("batch-hold", 10, card);
        var bad = Spend("batch-bad", card, till, 0);
        var request = new ExecuteBatchRequest
        {
            Operations =
            {
                new Operation { Spend = Spend("batch-a", card, till, 60) },
                new Operation { Spend = Spend("batch-b", card, till, 60) },
                new Operation { Spend = bad },
                new Operation(),
                new Operation { PlaceHold = placed },
                new Operation { Spend = Spend("batch-a", card, till, 60) },
                new Operation { Spend = Spend("batch-c", card, till, 30) },
            },
        };

        var outcomes = (await ledger.Client.ExecuteBatchAsync(request, ledger.Options)).Outcomes;

        // Which of the two that do not fit together comes first is not said: they are as apart as if each had come
        // alone.
        string[] said = [.. outcomes.Select(o => o.Refusal?.Code ?? o.OutcomeCase.ToString().ToLowerInvariant())];
        Assert.Equal(["insufficient_balance", "spend"], said[..2].Order());
        Assert.Equal(["invalid_request", "invalid_request", "hold"], said[2..5]);
        Assert.Equal((outcomes[0], "spend"), (outcomes[5], said[6]));
        Assert.Equal((10L, 90L), ((await ledger.GetAsync(card)).Posted, await PostedAsync(till)));

        // Whether it came alone or with others does not matter to its key.
        var (won, lost) = said[0] == "spend" ? (0, 1) : (1, 0);
        var alone = await ledger.Client.SpendAsync(request.Operations[won].Spend, ledger.Options);
        Assert.Equal(outcomes[won].Spend, alone);
        Assert.Equal(
            "insufficient_balance",
            await LedgerFixture.RefusalAsync(async () =>
                await ledger.Client.SpendAsync(request.Operations[lost].Spend, ledger.Options)
            )
        );
    }

    [Fact]
    public async Task A_call_has_one_to_a_hundred_and_twenty_eight_operations()
    {
        var (card, till) = (await ledger.FundAsync("batch-2", 1_000), await OpenAsync("batch-till-2"));
        var full = new ExecuteBatchRequest();
        full.Operations.AddRange(
            Enumerable.Range(0, 128).Select(i => new Operation { Spend = Spend($"full-{i}", card, till, 1) })
        );

        var outcomes = (await ledger.Client.ExecuteBatchAsync(full, ledger.Options)).Outcomes;
        full.Operations.Add(new Operation { Spend = Spend("full-128", card, till, 1) });

        Assert.All(outcomes, outcome => Assert.NotNull(outcome.Spend));
        Assert.Equal(
            "invalid_request",
            await LedgerFixture.RefusalAsync(async () => await ledger.Client.ExecuteBatchAsync(full, ledger.Options))
        );
        Assert.Equal(
            "invalid_request",
            await LedgerFixture.RefusalAsync(async () =>
                await ledger.Client.ExecuteBatchAsync(new ExecuteBatchRequest(), ledger.Options)
            )
        );
        Assert.Equal(128, await PostedAsync(till));
    }

    /// <summary>What a redemption costs here, in rows: no time is measured.</summary>
    [Fact]
    public async Task A_redemption_inserts_seven_rows_at_most()
    {
        const int redemptions = 128;
        var (card, till) = (await ledger.FundAsync("rows", 10_000), await OpenAsync("rows-till"));
        await using var source = NpgsqlDataSource.Create(ledger.Database.OwnerConnectionString);
        var before = await RowsAsync(source);
        var request = new ExecuteBatchRequest();
        request.Operations.AddRange(
            Enumerable.Range(0, redemptions).Select(i => new Operation { Spend = Spend($"rows-{i}", card, till, 1) })
        );

        await ledger.Client.ExecuteBatchAsync(request, ledger.Options);

        Assert.Equal(0, await PostedAsync(till) - redemptions);
        // A checkpoint of the log may be signed meanwhile, which is one event for all of them.
        Assert.InRange((await RowsAsync(source) - before) / redemptions, 4, 7);
    }

    /// <summary>
    /// Rows that are written with the effect, and the leaf that follows; what the outbox deletes again still
    /// counts.
    /// </summary>
    private static async Task<long> RowsAsync(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand(
            """
            SELECT (SELECT count(*) FROM transactions) * 2 + (SELECT count(*) FROM ledger_entries)
                 + (SELECT count(*) FROM answers)
                 + (SELECT count(*) FROM holds) + (SELECT count(*) FROM hold_items)
                 + (SELECT last_value FROM pg_sequences WHERE sequencename = 'outbox_events_id_seq')
            """
        );
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private SpendRequest Spend(string key, string source, string destination, long amount) =>
        new()
        {
            MerchantId = ledger.Merchant.ToString(),
            IdempotencyKey = key,
            Reference = key,
            Amount = amount,
            Sources = { new SpendSource { AccountId = source } },
            DestinationAccountId = destination,
        };

    private async Task<string> OpenAsync(string name)
    {
        var request = new OpenAccountsRequest
        {
            MerchantId = ledger.Merchant.ToString(),
            Accounts =
            {
                new OpenAccount
                {
                    Name = name,
                    Asset = "EUR",
                    Striped = true,
                },
            },
        };
        return (await ledger.Client.OpenAccountsAsync(request, ledger.Options)).Accounts[0].AccountId;
    }

    private async Task<long> PostedAsync(string account) => (await ledger.GetAsync(account)).Posted;
}
