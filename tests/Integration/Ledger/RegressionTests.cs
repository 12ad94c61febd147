using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>
/// What users of other ledgers and of what is built on them complained about, each by its number. None of it may happen
/// here.
/// </summary>
public sealed class RegressionTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    [Fact]
    public async Task Formance_364_ids_stay_unique_when_many_post_at_once()
    {
        var (clearing, card) = (
            await ledger.OpenAsync("clearing", unbounded: true),
            await ledger.OpenAsync("formance-364")
        );

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 500).Select(i => ledger.PostAsync($"formance-364-{i}", clearing, card, 1))
        );

        Assert.Equal(
            500,
            answers.Select(answer => answer.Transaction.TransactionId).Distinct(StringComparer.Ordinal).Count()
        );
        Assert.Equal(500, (await ledger.GetAsync(card)).Posted);
    }

    /// <summary>
    /// Rows that were committed apart from their transaction made the history disagree with the balance.
    /// </summary>
    [Fact]
    public async Task Formance_1684_a_batch_that_fails_half_way_leaves_no_row_anywhere()
    {
        var (clearing, card) = (
            await ledger.OpenAsync("clearing", unbounded: true),
            await ledger.FundAsync("formance-1684", 100)
        );
        var before = await RowsAsync();
        await ExecuteAsync("REVOKE INSERT ON answers FROM ledger");

        await Assert.ThrowsAsync<RpcException>(() => ledger.PostAsync("formance-1684-torn", clearing, card, 7));
        Assert.Equal(before, await RowsAsync());
        await ExecuteAsync("GRANT INSERT ON answers TO ledger");

        Assert.Equal(
            107,
            (await ledger.PostAsync("formance-1684-torn", clearing, card, 7))
                .Accounts.Single(a => a.AccountId == card)
                .Posted
        );
        Assert.True(
            await ledger.Database.ScalarAsync<bool>(
                "SELECT bool_and(posted = posted_at(account_id, 'infinity', 'infinity')) FROM accounts"
            )
        );
    }

    /// <summary>The balance check did not see what was reserved.</summary>
    [Fact]
    public async Task Blnk_181_what_is_held_can_not_be_spent_past_the_hold()
    {
        var (card, payable) = (await ledger.FundAsync("blnk-181", 100), await ledger.OpenAsync("blnk-181-payable"));
        var hold = await ledger.Client.PlaceHoldAsync(ledger.HoldOf("blnk-181", 80, card), ledger.Options);

        Assert.Equal(
            "insufficient_balance",
            await LedgerFixture.RefusalAsync(() => ledger.PostAsync("blnk-181-spend", card, payable, 21))
        );
        await ledger.PostAsync("blnk-181-rest", card, payable, 20);
        await CaptureAsync("blnk-181-capture", hold.Hold.HoldId, payable);

        Assert.Equal((0L, 100L), ((await ledger.GetAsync(card)).Posted, (await ledger.GetAsync(payable)).Posted));
    }

    /// <summary>A refused reservation could still be committed, and overdrew the account.</summary>
    [Fact]
    public async Task Blnk_182_a_hold_that_was_refused_or_released_can_not_be_captured()
    {
        var (card, payable) = (await ledger.FundAsync("blnk-182", 50), await ledger.OpenAsync("blnk-182-payable"));
        var held = await CountAsync("SELECT count(hold_id) FROM holds");
        Assert.Equal(
            "insufficient_balance",
            await LedgerFixture.RefusalAsync(async () =>
                await ledger.Client.PlaceHoldAsync(ledger.HoldOf("blnk-182-refused", 51, card), ledger.Options)
            )
        );
        Assert.Equal(held, await CountAsync("SELECT count(hold_id) FROM holds"));
        var released = (await ledger.Client.PlaceHoldAsync(ledger.HoldOf("blnk-182", 50, card), ledger.Options))
            .Hold
            .HoldId;
        await ledger.Client.ReleaseHoldAsync(
            new ReleaseHoldRequest
            {
                MerchantId = ledger.Merchant.ToString(),
                IdempotencyKey = "blnk-182-release",
                HoldId = released,
            },
            ledger.Options
        );

        Assert.Equal(
            "hold_not_pending",
            await LedgerFixture.RefusalAsync(() => CaptureAsync("blnk-182-capture", released, payable))
        );
        Assert.Equal((50L, 0L), ((await ledger.GetAsync(card)).Available, (await ledger.GetAsync(payable)).Posted));
    }

    /// <summary>Two commits of one pending transaction both went through.</summary>
    [Fact]
    public async Task Midaz_1519_a_hold_is_captured_once_however_many_commit_it_at_once()
    {
        var (card, payable) = (
            await ledger.FundAsync("midaz-1519", 1_000),
            await ledger.OpenAsync("midaz-1519-payable")
        );
        var hold = (await ledger.Client.PlaceHoldAsync(ledger.HoldOf("midaz-1519", 100, card), ledger.Options))
            .Hold
            .HoldId;

        var codes = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(i => CodeAsync(() => CaptureAsync($"midaz-1519-{i}", hold, payable)))
        );

        Assert.Equal((1, 49), (codes.Count(code => code is null), codes.Count(code => code == "hold_not_pending")));
        Assert.Equal((900L, 100L), ((await ledger.GetAsync(card)).Available, (await ledger.GetAsync(payable)).Posted));
    }

    /// <summary>A retry after a lost answer was applied a second time.</summary>
    [Fact]
    public async Task Midaz_2485_a_retry_whose_first_answer_was_lost_applies_nothing_again()
    {
        var (clearing, card) = (
            await ledger.OpenAsync("clearing", unbounded: true),
            await ledger.OpenAsync("midaz-2485")
        );
        var request = new PostTransactionRequest
        {
            MerchantId = ledger.Merchant.ToString(),
            IdempotencyKey = "midaz-2485",
            Kind = "load",
            Postings =
            {
                new Posting
                {
                    SourceAccountId = clearing,
                    DestinationAccountId = card,
                    Amount = 10,
                },
            },
        };
        for (var i = 0; i < 20; i++)
        {
            // The caller hangs up at once; whether the ledger had taken the request is anybody's guess.
            using var lost = ledger.Client.PostTransactionAsync(
                request,
                ledger.Options.WithCancellationToken(new CancellationToken(canceled: i % 2 == 0))
            );
            lost.Dispose();
            await Task.WhenAny(lost.ResponseAsync);
        }

        var known = await ledger.Client.PostTransactionAsync(request, ledger.Options);

        Assert.Equal(10, (await ledger.GetAsync(card)).Posted);
        Assert.Equal(known, await ledger.Client.PostTransactionAsync(request, ledger.Options));
    }

    /// <summary>Refunds were added up without looking at what had been refunded before.</summary>
    [Fact]
    public async Task Eventyay_2824_partial_refunds_never_add_up_to_more_than_was_paid()
    {
        var (card, payable) = (
            await ledger.FundAsync("eventyay-2824", 1_000),
            await ledger.OpenAsync("eventyay-2824-payable")
        );
        var paid = (await ledger.PostAsync("eventyay-2824-paid", card, payable, 100)).Transaction.TransactionId;
        await ledger.PostAsync("eventyay-2824-others", card, payable, 900);

        var codes = await Task.WhenAll(
            Enumerable
                .Range(0, 40)
                .Select(i => CodeAsync(() => RefundAsync($"eventyay-2824-{i}", paid, payable, card, 30)))
        );

        Assert.Equal(
            (3, 37),
            (codes.Count(code => code is null), codes.Count(code => code == "reversal_exceeds_original"))
        );
        Assert.Equal(
            "reversal_exceeds_original",
            await CodeAsync(() => RefundAsync("eventyay-2824-more", paid, payable, card, 11))
        );
        Assert.Null(await CodeAsync(() => RefundAsync("eventyay-2824-rest", paid, payable, card, 10)));
        Assert.Equal((100L, 900L), ((await ledger.GetAsync(card)).Posted, (await ledger.GetAsync(payable)).Posted));
    }

    private static async Task<string?> CodeAsync(Func<Task> call)
    {
        try
        {
            await call();
            return null;
        }
        catch (RpcException refusal)
        {
            return refusal.Trailers.GetValue("localplus-code") ?? refusal.ToString();
        }
    }

    private async Task CaptureAsync(string key, string hold, string destination) =>
        await ledger.Client.CaptureHoldAsync(
            new CaptureHoldRequest
            {
                MerchantId = ledger.Merchant.ToString(),
                IdempotencyKey = key,
                HoldId = hold,
                Capture = new HoldCapture { DestinationAccountId = destination },
            },
            ledger.Options
        );

    private async Task RefundAsync(string key, string transaction, string from, string to, long amount) =>
        await ledger.Client.ReverseTransactionAsync(
            new ReverseTransactionRequest
            {
                MerchantId = ledger.Merchant.ToString(),
                IdempotencyKey = key,
                TransactionId = transaction,
                Postings =
                {
                    new Posting
                    {
                        SourceAccountId = from,
                        DestinationAccountId = to,
                        Amount = amount,
                    },
                },
            },
            ledger.Options
        );

    private Task<string> RowsAsync() =>
        ledger.Database.ScalarAsync<string>(
            """
            SELECT concat_ws(' ', (SELECT count(transaction_id) FROM transactions), (SELECT count(sequence) FROM ledger_entries),
                                  (SELECT count(answer_id) FROM answers), (SELECT sum(revision) FROM accounts))
            """
        );

    private Task<long> CountAsync(string sql) => ledger.Database.ScalarAsync<long>(sql);

    private Task ExecuteAsync(string sql) => ledger.Database.AsOwnerAsync(sql);
}
