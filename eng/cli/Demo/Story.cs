using System.Globalization;

namespace LocalPlus.Cli;

/// <summary>A card that was sold: what the till needs of it.</summary>
internal sealed record SoldCard(string Id, string Code, string Email);

/// <summary>The first half: a card is sold and redeemed, and everything that should follow does.</summary>
internal sealed class Story(
    Checkout checkout,
    Shop shop,
    Receiver receiver,
    Narrator narrator,
    CancellationToken cancel
)
{
    public const long Price = 3000;

    private const long Value = 5000;
    private const long Returned = 1000;

    /// <summary>How long what follows by events may take: mail, figures, the run's last steps.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(45);

    public async Task<SoldCard> TellAsync()
    {
        var endpoint = await shop.WebhookAsync(receiver.Url);
        narrator.Check(
            endpoint.Text("secret") is not null,
            $"the shop's own program is to be told what happens, at {receiver.Url}",
            endpoint
        );
        receiver.Trust(endpoint.Text("secret")!);
        var card = await SellAsync();
        var redemption = await RedeemAsync(card);
        await RefundAsync(card, redemption);
        await ProveAsync();
        await FollowAsync(card);
        await ReceiveAsync(endpoint.Text("id")!);
        return card;
    }

    private async Task<SoldCard> SellAsync()
    {
        Narrator.Chapter("A card is sold");
        var program = await shop.CreateProgramAsync("Corner Shop card");
        narrator.Check(program.Status == 201, "a gift card programme is made", program);

        var email = string.Create(
            CultureInfo.InvariantCulture,
            $"ada.{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}@example.com"
        );
        var sold = await shop.SellAsync(program.Text("id")!, Value, email);
        Narrator.Show("POST /v1/gift_cards 50.00 EUR", sold, "id", "status", "last4", "balance", "code");
        narrator.Check(
            sold is { Status: 201 } && sold.Text("code") is { Length: >= 16 },
            "the card is sold for 50.00 EUR and its code is shown",
            sold
        );
        var card = new SoldCard(sold.Text("id")!, sold.Text("code")!, email);

        var again = await shop.CardAsync(card.Id);
        narrator.Check(again.Status == 200 && again.Text("code") is null, "the code is never shown again", again);

        var found = await shop.LookUpAsync(card.Code);
        Narrator.Show("POST /v1/gift_cards/lookup", found, "id", "status", "balance");
        narrator.Check(
            found.Text("id") == card.Id && found.Number("balance.amount") == Value,
            "a till finds it by its code: 50.00 EUR",
            found
        );
        return card;
    }

    private async Task<string> RedeemAsync(SoldCard card)
    {
        Narrator.Chapter("30.00 EUR are redeemed in two phases");
        var reference = $"till-1-{Shop.NewKey()[..8]}";
        var key = Shop.NewKey();
        var held = await shop.HoldAsync(card.Code, Price, reference, key);
        Narrator.Show("POST /v1/redemptions 30.00 EUR two_phase", held, "id", "state", "approved", "hold_expires_at");
        narrator.Check(held is { Status: 201 } && held.Text("state") == "held", "30.00 EUR are held", held);
        var id = held.Text("id")!;

        var refused = await shop.HoldAsync(card.Code, Price, $"till-2-{Shop.NewKey()[..8]}", Shop.NewKey());
        Narrator.Show("POST /v1/redemptions 30.00 EUR from a second till", refused, "code", "detail", "available");
        narrator.Check(
            refused is { Status: 422, Code: "insufficient_balance" }
                && refused.Number("available.amount") == Value - Price,
            "a second till is refused: 20.00 EUR are available",
            refused
        );

        var replay = await shop.HoldAsync(card.Code, Price, reference, key);
        narrator.Check(
            replay.Replayed && replay.Text("id") == id && replay.Status == held.Status,
            "the same request with the same Idempotency-Key gets the same answer, marked as replayed",
            replay
        );

        var confirmed = await shop.ConfirmAsync(id);
        Narrator.Show($"POST /v1/redemptions/{id}/confirm", confirmed, "state", "captured", "transaction_id");
        narrator.Check(
            confirmed is { Status: 200 } && confirmed.Text("state") == "completed",
            "the till confirms: completed",
            confirmed
        );

        var run = await narrator.EventuallyAsync(
            () => shop.RunAsync(id),
            r => r.Text("run.run_state") == "finished",
            "its run, a Dapr workflow, has completed",
            Soon,
            cancel
        );
        ShowSteps(run);
        return id;
    }

    private async Task RefundAsync(SoldCard card, string redemption)
    {
        Narrator.Chapter("10.00 EUR are given back");
        var refund = await shop.RefundAsync(redemption, Returned);
        Narrator.Show($"POST /v1/redemptions/{redemption}/refunds 10.00 EUR", refund, "id", "state", "amount");
        narrator.Check(refund.Status == 201, "the refund is done", refund);
        var after = await shop.CardAsync(card.Id);
        narrator.Check(
            after.Number("balance.amount") == Value - Price + Returned,
            "the card has 30.00 EUR again",
            after
        );
        var all = await shop.RedemptionAsync(redemption);
        narrator.Check(all.Text("state") == "partially_refunded", "the redemption is partially refunded", all);
    }

    /// <summary>Shared by both halves: whatever happened, the books add up.</summary>
    public async Task ProveAsync()
    {
        Narrator.Chapter("The ledger proves itself");
        var proof = await shop.ProofAsync();
        Narrator.Show(
            "GET /ops/v1/ledger/proof",
            proof,
            "balanced",
            "accounts",
            "entries",
            "sum",
            "wrong_balances",
            "wrong_holds"
        );
        narrator.Check(
            proof is { Status: 200 } && proof.Text("balanced") == "true",
            "all entries sum to 0 and every balance is the sum of its entries",
            proof
        );
    }

    private async Task FollowAsync(SoldCard card)
    {
        Narrator.Chapter("What followed by itself");
        await MailAsync(card, "gift card", "50.00 EUR");
        await MailAsync(card, "receipt", "30.00 EUR");
        await MailAsync(card, "refund", "10.00 EUR");
        var figures = await narrator.EventuallyAsync(
            shop.FiguresAsync,
            r =>
                Shop.Sum(r, "sold.amount.amount") == Value
                && Shop.Sum(r, "redeemed.amount.amount") == Price
                && Shop.Sum(r, "refunded.amount.amount") == Returned,
            "analytics shows the day: 50.00 EUR sold, 30.00 redeemed, 10.00 refunded",
            Soon,
            cancel
        );
        Narrator.Show(
            "GET /v1/reports/daily",
            figures,
            "data.0.date",
            "data.0.sold",
            "data.0.redeemed",
            "data.0.refunded"
        );
    }

    private async Task ReceiveAsync(string endpoint)
    {
        string[] told = ["gift_card.activated", "redemption.completed", "redemption.refunded"];
        var deliveries = await narrator.EventuallyAsync(
            () => shop.DeliveriesAsync(endpoint),
            _ => told.All(receiver.Types.Contains) && receiver.Forged == 0,
            $"the shop's program was told of {string.Join(", ", told)}, each with a signature that it verified",
            Soon,
            cancel
        );
        Narrator.Show(
            $"GET /v1/webhook_endpoints/{endpoint}/deliveries",
            deliveries,
            "data.0.event_type",
            "data.0.status",
            "data.0.attempts"
        );
    }

    /// <summary>Waits for a mail to the holder whose subject and text hold these words.</summary>
    public async Task MailAsync(SoldCard card, string subject, string text)
    {
        var deadline = DateTimeOffset.UtcNow + Soon;
        Mail? mail;
        while ((mail = Find()) is null && DateTimeOffset.UtcNow < deadline)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(250), cancel);
        }

        narrator.Check(mail is not null, $"a mail about the {subject} ({text}) reached {card.Email}: {mail?.Subject}");

        Mail? Find() =>
            Mail.AddressedTo(checkout, card.Email)
                .FirstOrDefault(m =>
                    m.Subject.Contains(subject, StringComparison.Ordinal)
                    && m.Text.Contains(text, StringComparison.Ordinal)
                );
    }

    public static void ShowSteps(RestAnswer run)
    {
        foreach (var step in run.At("steps")?.AsArray() ?? [])
        {
            Narrator.Tell($"  step {step?["step"], -20} {step?["state"], -8} attempts {step?["attempts"]}");
        }
    }
}
