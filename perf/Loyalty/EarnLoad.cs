namespace LocalPlus.Perf.Loyalty;

/// <summary>Purchases through the gateway, of the members in turn.</summary>
internal sealed class EarnLoad
{
    private long _accepted;
    private long _unknown;

    public long Accepted => Interlocked.Read(ref _accepted);

    /// <summary>How many may have happened or not: each may make one member differ from what was accepted.</summary>
    public long Unknown => Interlocked.Read(ref _unknown);

    public async Task<Load> SendAsync(BenchOptions options, BenchMembers members, CancellationToken cancel)
    {
        using var wires = new HttpWires(Api.Setting("LP_GATEWAY"), options.Clients);
        return await LoadRunner.SendAsync(
            options,
            async (client, number, end) =>
            {
                var member = members.For(number);
                var key = Guid.CreateVersion7().ToString("N");
                var body = $$"""{"member_id":"{{member.Id}}","reference":"bench-{{key}}",{{BenchMembers.Basket}}}""";
                var answer = await wires[client]
                    .SendAsync(new("POST", "/v1/earnings", member.Merchant.ApiKey, body, key), end);
                if (answer.Status == 201)
                {
                    member.Give(members.PointsOfEach);
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
