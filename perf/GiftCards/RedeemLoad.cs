namespace LocalPlus.Perf.GiftCards;

/// <summary>Immediate redemptions of 0.01 EUR through the gateway, over the cards in turn.</summary>
internal sealed class RedeemLoad
{
    private long _accepted;
    private long _unknown;

    public long Accepted => Interlocked.Read(ref _accepted);

    /// <summary>How many may have happened or not: each may make one card differ from what was accepted.</summary>
    public long Unknown => Interlocked.Read(ref _unknown);

    public async Task<Load> SendAsync(BenchOptions options, BenchCards cards, CancellationToken cancel)
    {
        using var wires = new HttpWires(Api.Setting("LP_GATEWAY"), options.Clients);
        return await LoadRunner.SendAsync(
            options,
            async (client, number, end) =>
            {
                var card = cards.For(number);
                var key = Guid.CreateVersion7().ToString("N");
                var body =
                    $$$"""{"reference":"bench-{{{key}}}","mode":"immediate","amount":{"amount":1,"currency":"EUR"},"""
                    + $$$"""
                        "sources":[{"gift_card":{"code":"{{{card.Code}}}"}}]}
                        """;
                var answer = await wires[client]
                    .SendAsync(new("POST", "/v1/redemptions", card.Merchant.ApiKey, body, key), end);
                if (answer.Status == 201)
                {
                    card.Take();
                    Interlocked.Increment(ref _accepted);
                }
                else if (answer.IsUnknown)
                {
                    Interlocked.Increment(ref _unknown);
                }

                await answer.ComeAgainAsync(options, end);
                return answer.FailureUnless(201);
            },
            cancel
        );
    }
}
