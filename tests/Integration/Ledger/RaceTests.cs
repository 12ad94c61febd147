using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Tests.Unit.Ledger.Support;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>Many at once on the same thing: exactly as many win as may.</summary>
public sealed class RaceTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    private const int Tills = 64;
    private const int Reversers = 500;

    [Fact]
    public async Task Sixty_four_tills_with_one_key_have_one_effect_and_one_answer()
    {
        for (var round = 0; round < LongRun.Of(5, 100); round++)
        {
            var card = await ledger.FundAsync($"one-key-{round}", 100);
            var payable = await ledger.OpenAsync("one-key-payable");
            var before = (await ledger.GetAsync(payable)).Posted;

            var answers = await Task.WhenAll(
                Enumerable
                    .Range(0, Tills)
                    .Select(async _ => await ledger.PostAsync($"one-key-{round}", card, payable, 10))
            );

            Assert.Single(answers.Distinct());
            Assert.Equal(
                (90L, before + 10),
                ((await ledger.GetAsync(card)).Posted, (await ledger.GetAsync(payable)).Posted)
            );
        }
    }

    [Fact]
    public async Task Sixty_four_tills_on_one_card_win_exactly_as_often_as_there_is_value()
    {
        for (var round = 0; round < LongRun.Of(10, 200); round++)
        {
            var card = await ledger.FundAsync($"tills-{round}", 100);
            var payable = await ledger.OpenAsync("tills-payable");

            var outcomes = await Task.WhenAll(
                Enumerable
                    .Range(0, Tills)
                    .Select(till => OutcomeAsync(() => ledger.PostAsync($"tills-{round}-{till}", card, payable, 10)))
            );

            Assert.Equal((10, 54), (outcomes.Count(o => o is null), outcomes.Count(o => o == "insufficient_balance")));
            Assert.Equal(0, (await ledger.GetAsync(card)).Posted);
        }
    }

    [Fact]
    public async Task One_of_five_hundred_reversals_of_a_transaction_wins()
    {
        var (clearing, card) = (
            await ledger.OpenAsync("clearing", unbounded: true),
            await ledger.OpenAsync("reversed")
        );
        await ledger.PostAsync("plenty", clearing, card, 1_000_000);
        var original = (await ledger.PostAsync("original", clearing, card, 1_000)).Transaction.TransactionId;

        var outcomes = await ReverseAsync(original, "plain");

        Assert.Equal(
            (1, Reversers - 1),
            (outcomes.Count(o => o is null), outcomes.Count(o => o == "reversal_exceeds_original"))
        );
        Assert.Equal(1_000_000, (await ledger.GetAsync(card)).Posted);
    }

    /// <summary>
    /// Nothing is locked there but the lines of the reversal itself, and those are not there before the first.
    /// </summary>
    [Fact]
    public async Task One_of_five_hundred_reversals_between_striped_accounts_wins()
    {
        var opening = new OpenAccountsRequest
        {
            MerchantId = ledger.Merchant.ToString(),
            Accounts =
            {
                new OpenAccount
                {
                    Name = "hot-1",
                    Asset = "EUR",
                    Striped = true,
                },
                new OpenAccount
                {
                    Name = "hot-2",
                    Asset = "EUR",
                    Striped = true,
                },
            },
        };
        var hot = (await ledger.Client.OpenAccountsAsync(opening, ledger.Options)).Accounts;
        var original = (await ledger.PostAsync("hot", hot[0].AccountId, hot[1].AccountId, 1_000))
            .Transaction
            .TransactionId;

        var outcomes = await ReverseAsync(original, "striped");

        Assert.Equal(
            (1, Reversers - 1),
            (outcomes.Count(o => o is null), outcomes.Count(o => o == "reversal_exceeds_original"))
        );
        Assert.Equal(
            (0L, 0L),
            ((await ledger.GetAsync(hot[0].AccountId)).Posted, (await ledger.GetAsync(hot[1].AccountId)).Posted)
        );
    }

    [Fact]
    public async Task One_of_capture_and_release_wins_however_often_each_is_sent()
    {
        for (var round = 0; round < LongRun.Of(20, 300); round++)
        {
            var card = await ledger.FundAsync($"settled-{round}", 100);
            var payable = await ledger.OpenAsync($"settled-payable-{round}");
            var hold = (await ledger.Client.PlaceHoldAsync(ledger.HoldOf($"settled-{round}", 80, card), ledger.Options))
                .Hold
                .HoldId;

            var outcomes = await Task.WhenAll(
                Enumerable
                    .Range(0, 8)
                    .Select(i =>
                        OutcomeAsync(() =>
                            i % 2 == 0
                                ? CaptureAsync($"settled-{round}-{i}", hold, payable)
                                : ledger
                                    .Client.ReleaseHoldAsync(
                                        new ReleaseHoldRequest
                                        {
                                            MerchantId = ledger.Merchant.ToString(),
                                            IdempotencyKey = $"settled-{round}-{i}",
                                            HoldId = hold,
                                        },
                                        ledger.Options
                                    )
                                    .ResponseAsync
                        )
                    )
            );

            Assert.Equal((1, 7), (outcomes.Count(o => o is null), outcomes.Count(o => o == "hold_not_pending")));
            var captured = (await ledger.GetAsync(payable)).Posted;
            var account = await ledger.GetAsync(card);
            Assert.True(captured is 0 or 80);
            Assert.Equal((100 - captured, 0L), (account.Posted, account.Held));
        }
    }

    private async Task<string?[]> ReverseAsync(string original, string name) =>
        await Task.WhenAll(
            Enumerable
                .Range(0, Reversers)
                .Select(i =>
                    OutcomeAsync(() =>
                        ledger
                            .Client.ReverseTransactionAsync(
                                new ReverseTransactionRequest
                                {
                                    MerchantId = ledger.Merchant.ToString(),
                                    IdempotencyKey = $"reverse-{name}-{i}",
                                    TransactionId = original,
                                    Reference = $"reverse-{name}-{i}",
                                },
                                ledger.Options
                            )
                            .ResponseAsync
                    )
                )
        );

    private Task<HoldResponse> CaptureAsync(string key, string hold, string destination) =>
        ledger
            .Client.CaptureHoldAsync(
                new CaptureHoldRequest
                {
                    MerchantId = ledger.Merchant.ToString(),
                    IdempotencyKey = key,
                    HoldId = hold,
                    Reference = key,
                    Capture = new HoldCapture { DestinationAccountId = destination },
                },
                ledger.Options
            )
            .ResponseAsync;

    /// <summary>Null: it won. Otherwise the code it was refused with.</summary>
    private static async Task<string?> OutcomeAsync(Func<Task> call)
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
}
