using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Keys;
using LocalPlus.Wallet.Members;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Rewards;

/// <summary>
/// POST /v1/loyalty_rewards/use_voucher: the till takes a voucher, once. A wrong code and one that was used are told
/// apart only by who has the code. Refusals: not_found, voucher_used, invalid_request.
/// </summary>
internal static class UseVoucher
{
    internal sealed record Request(ProgramId ProgramId, string Code);

    internal sealed record Response(
        VoucherId Id,
        string Object,
        LoyaltyRewardId RewardId,
        string RewardName,
        MemberId MemberId,
        DateTimeOffset UsedAt
    );

    public static IEndpointRouteBuilder MapUseVoucher(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/loyalty_rewards/use_voucher", HandleAsync)
            .RequireScope("members:write")
            .WorksAcrossMerchants()
            .RequireIdempotencyKey()
            .Refuses(CommonFaults.NotFound, Faults.VoucherUsed)
            .WithName(nameof(UseVoucher))
            .Produces<Response>();
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests requests,
        PiiVersions versions,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks().Card(request.Code, "/code").ThrowIfAny();
        return requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var (merchant, now) = (http.GetMerchant(), time.GetUtcNow());
                var program = await LoyaltyPrograms.TakenPartInAsync(db, merchant, request.ProgramId, now);
                var code = MemberCard.Parse(request.Code)!;
                var row =
                    await versions.FindAsync(
                        db,
                        version =>
                            db.QuerySingleOrDefaultAsync<VoucherRow>(
                                Sql.Lock,
                                new { program.ProgramId, CodeLookups = version.Voucher(program.ProgramId, code).All }
                            )
                    ) ?? throw new FaultException(CommonFaults.NotFound, "There is no such voucher.");
                if (row.UsedAt is { } before)
                {
                    throw new FaultException(Faults.VoucherUsed, $"It was used at {Instants.Format(before)}.");
                }

                await db.ExecuteAsync(
                    Sql.Use,
                    new
                    {
                        row.VoucherId,
                        UsedBy = merchant.MerchantId,
                        UsedAt = now,
                    }
                );
                return Answer.Ok(new Response(row.VoucherId, "voucher", row.RewardId, row.Name, row.MemberId, now));
            },
            cancel
        );
    }

    private sealed record VoucherRow(
        VoucherId VoucherId,
        LoyaltyRewardId RewardId,
        string Name,
        MemberId MemberId,
        DateTimeOffset? UsedAt
    );

    private static class Sql
    {
        // Two tills with one voucher: the second waits and finds it used.
        public const string Lock = """
            SELECT v.voucher_id, v.reward_id, r.name, v.member_id, v.used_at
              FROM loyalty_vouchers v
              JOIN loyalty_rewards r
                ON r.reward_id = v.reward_id
             WHERE v.program_id = @ProgramId
               AND v.code_lookup = ANY(@CodeLookups)
               FOR NO KEY UPDATE OF v
            """;

        public const string Use = """
            UPDATE loyalty_vouchers
               SET used_by = @UsedBy, used_at = @UsedAt
             WHERE voucher_id = @VoucherId
            """;
    }
}
