using System.Text.Json;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Ledger;

public sealed class HoldTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    [Fact]
    public async Task A_hold_reserves_and_a_lower_capture_frees_the_rest_in_the_same_transaction()
    {
        var card = await ledger.FundAsync("hold-1", 5000);
        var payable = await ledger.OpenAsync("payable-1");
        var hold = (await ledger.Client.PlaceHoldAsync(ledger.HoldOf("h1", 3000, card), ledger.Options)).Hold;
        Assert.Equal((HoldState.Pending, 3000, 2000), (hold.State, hold.Held, hold.Items[0].AvailableAfter));

        var captured = (await CaptureAsync("c1", hold.HoldId, payable, 1000)).Hold;

        Assert.Equal((HoldState.Captured, 1000L), (captured.State, captured.Captured));
        var account = await ledger.GetAsync(card);
        Assert.Equal((4000L, 0L, 4000L), (account.Posted, account.Held, account.Available));
        Assert.Equal(1000, (await ledger.GetAsync(payable)).Posted);
    }

    [Fact]
    public async Task What_is_held_is_told_when_it_changes_and_the_highest_revision_is_the_newest()
    {
        var card = await ledger.FundAsync("hold-told", 5000);
        var payable = await ledger.OpenAsync("payable-told");
        var first = (await ledger.Client.PlaceHoldAsync(ledger.HoldOf("told-1", 3000, card), ledger.Options)).Hold;
        var second = (await ledger.Client.PlaceHoldAsync(ledger.HoldOf("told-2", 500, card), ledger.Options)).Hold;
        await CaptureAsync("told-c", first.HoldId, payable, 1000);
        await ledger.Client.ReleaseHoldAsync(
            new()
            {
                MerchantId = ledger.Merchant.ToString(),
                IdempotencyKey = "told-r",
                HoldId = second.HoldId,
            },
            ledger.Options
        );
        // Spent at once, it was never held.
        var atOnce = ledger.HoldOf("told-3", 100, card);
        atOnce.Capture = new HoldCapture { DestinationAccountId = payable };
        await ledger.Client.PlaceHoldAsync(atOnce, ledger.Options);

        JsonElement[] told = [];
        await Eventually.TrueAsync(() =>
        {
            told =
            [
                .. ledger
                    .Sidecar.Published.Where(e => e.GetProperty("topic").GetString() == "ledger.holds.v1")
                    .Select(e => e.GetProperty("event").GetProperty("data"))
                    .Where(e => e.GetProperty("key").GetString() == card)
                    .OrderBy(e => e.GetProperty("sequence").GetInt64()),
            ];
            return told.Length >= 4;
        });

        Assert.Equal([3000L, 3500L, 500L, 0L], told.Select(e => e.GetProperty("data").GetProperty("held").GetInt64()));
        Assert.Equal(4, told.Select(e => e.GetProperty("sequence").GetInt64()).Distinct().Count());
        var account = await ledger.GetAsync(card);
        Assert.Equal(0, account.Held);
        Assert.True(account.Revision > told[^1].GetProperty("sequence").GetInt64());
    }

    [Fact]
    public async Task What_is_held_can_not_be_held_again()
    {
        var card = await ledger.FundAsync("hold-2", 5000);
        await ledger.Client.PlaceHoldAsync(ledger.HoldOf("h2a", 3000, card), ledger.Options);

        Assert.Equal(
            "insufficient_balance",
            await LedgerFixture.RefusalAsync(async () =>
                await ledger.Client.PlaceHoldAsync(ledger.HoldOf("h2b", 3000, card), ledger.Options)
            )
        );

        var partial = ledger.HoldOf("h2c", 3000, card);
        partial.AllowPartial = true;
        Assert.Equal(2000, (await ledger.Client.PlaceHoldAsync(partial, ledger.Options)).Hold.Held);
    }

    [Fact]
    public async Task A_hold_over_two_cards_takes_them_in_order_and_captures_at_once_when_asked()
    {
        var (first, second) = (await ledger.FundAsync("hold-3a", 1000), await ledger.FundAsync("hold-3b", 1000));
        var payable = await ledger.OpenAsync("payable-3");
        var request = ledger.HoldOf("h3", 1500, first, second);
        request.Capture = new HoldCapture { DestinationAccountId = payable };

        var hold = (await ledger.Client.PlaceHoldAsync(request, ledger.Options)).Hold;

        Assert.Equal(HoldState.Captured, hold.State);
        Assert.Equal([1000L, 500L], hold.Items.Select(item => item.Captured));
        Assert.Equal(
            (0L, 500L, 1500L),
            (
                (await ledger.GetAsync(first)).Posted,
                (await ledger.GetAsync(second)).Available,
                (await ledger.GetAsync(payable)).Posted
            )
        );
    }

    [Fact]
    public async Task Exactly_one_of_capture_and_release_wins_and_each_answers_its_repeat_the_same()
    {
        var card = await ledger.FundAsync("hold-4", 1000);
        var payable = await ledger.OpenAsync("payable-4");
        var hold = (await ledger.Client.PlaceHoldAsync(ledger.HoldOf("h4", 1000, card), ledger.Options)).Hold.HoldId;

        var captured = await CaptureAsync("c4", hold, payable);
        var repeated = await CaptureAsync("c4", hold, payable);

        Assert.Equal(captured, repeated);
        var release = new ReleaseHoldRequest
        {
            MerchantId = ledger.Merchant.ToString(),
            IdempotencyKey = "r4",
            HoldId = hold,
        };
        Assert.Equal(
            "hold_not_pending",
            await LedgerFixture.RefusalAsync(async () => await ledger.Client.ReleaseHoldAsync(release, ledger.Options))
        );
        Assert.Equal(1000, (await ledger.GetAsync(payable)).Posted);
    }

    [Fact]
    public async Task Sixty_four_tills_on_one_card_never_overspend()
    {
        var card = await ledger.FundAsync("hold-5", 100);
        var payable = await ledger.OpenAsync("payable-5");
        var outcomes = await Task.WhenAll(
            Enumerable
                .Range(0, 64)
                .Select(async till =>
                {
                    var request = ledger.HoldOf($"h5-{till}", 10, card);
                    request.Capture = new HoldCapture { DestinationAccountId = payable };
                    try
                    {
                        await ledger.Client.PlaceHoldAsync(request, ledger.Options);
                        return "won";
                    }
                    catch (Grpc.Core.RpcException refusal)
                    {
                        return refusal.Trailers.GetValue("localplus-code");
                    }
                })
        );

        Assert.Equal(10, outcomes.Count(outcome => outcome == "won"));
        Assert.Equal(54, outcomes.Count(outcome => outcome == "insufficient_balance"));
        Assert.Equal((0L, 100L), ((await ledger.GetAsync(card)).Posted, (await ledger.GetAsync(payable)).Posted));
    }

    [Fact]
    public async Task A_foreign_merchant_sees_no_hold()
    {
        var card = await ledger.FundAsync("hold-6", 1000);
        var hold = (await ledger.Client.PlaceHoldAsync(ledger.HoldOf("h6", 1000, card), ledger.Options)).Hold.HoldId;
        var foreign = new ReleaseHoldRequest
        {
            MerchantId = "mrc_00000000000000000000000000",
            IdempotencyKey = "r6",
            HoldId = hold,
        };

        Assert.Equal(
            "not_found",
            await LedgerFixture.RefusalAsync(async () => await ledger.Client.ReleaseHoldAsync(foreign, ledger.Options))
        );
    }

    private async Task<HoldResponse> CaptureAsync(string key, string hold, string destination, long amount = 0) =>
        await ledger.Client.CaptureHoldAsync(
            new CaptureHoldRequest
            {
                MerchantId = ledger.Merchant.ToString(),
                IdempotencyKey = key,
                HoldId = hold,
                Amount = amount,
                Reference = key,
                Capture = new HoldCapture { DestinationAccountId = destination },
            },
            ledger.Options
        );
}
