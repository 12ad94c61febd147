using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Offline;

/// <summary>
/// POST /v1/terminals/{id}/offline_allowances: what a till may take from cards it can not ask about, per card and in
/// all, until a time; signed, so that the till can check it and hand it in with its items. The risk is the merchant's:
/// what a card can not pay afterwards is the merchant's receivable. A till that wants no risk places a hold beforehand.
/// The terminal is one of the merchant's; whoever has a key and the token may hand items in.
/// Refusals: invalid_request, terminal_blocked, feature_off (operators have switched them off).
/// </summary>
internal static class CreateAllowance
{
    public static IEndpointRouteBuilder MapCreateAllowance(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/terminals/{id}/offline_allowances", HandleAsync)
            .RequireScope("redemptions:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.TerminalBlocked, CommonFaults.FeatureOff)
            .WithName(nameof(CreateAllowance))
            .Produces<View>(StatusCodes.Status201Created);
        return group;
    }

    internal sealed record Request(Money CardCap, Money TotalCap, int ValidSeconds, LocationId? LocationId = null);

    /// <param name="FirstLink">What the hash of the first item is linked to, hexadecimal.</param>
    internal sealed record View(
        OfflineAllowanceId Id,
        TerminalId TerminalId,
        LocationId? LocationId,
        Money CardCap,
        Money TotalCap,
        string Token,
        string FirstLink,
        PublicJwk PublicKey,
        DateTimeOffset CreatedAt,
        DateTimeOffset ExpiresAt
    )
    {
        public string Object { get; } = "offline_allowance";
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        TerminalId id,
        Request request,
        IdempotentRequests requests,
        Terminals terminals,
        AllowanceSigner signer,
        Flags flags,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Positive(request.CardCap, "/card_cap")
            .Positive(request.TotalCap, "/total_cap")
            .Require(request.CardCap.Currency == request.TotalCap.Currency, "/total_cap", "currency")
            .Require(request.CardCap.MinorUnits <= request.TotalCap.MinorUnits, "/card_cap")
            .Require(
                request.ValidSeconds is >= GiftcardLimits.AllowanceSecondsMin and <= GiftcardLimits.AllowanceSecondsMax,
                "/valid_seconds"
            )
            .ThrowIfAny();
        var merchant = http.GetMerchant().MerchantId;
        return await requests.ExecuteAsync(
            http,
            request,
            async () =>
            {
                // An allowance that was given is given again under its key.
                flags.Require(Flag.OfflineAllowances);
                await terminals.RequireAsync(merchant, id, request.LocationId, cancel, "id");
            },
            db => InsertAsync(db, merchant, id, request, signer, time),
            cancel
        );
    }

    private static async Task<Answer> InsertAsync(
        DbSession db,
        MerchantId merchant,
        TerminalId terminal,
        Request request,
        AllowanceSigner signer,
        TimeProvider time
    )
    {
        var id = new OfflineAllowanceId(Guid.CreateVersion7(time.GetUtcNow()));
        var now = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var end = now.AddSeconds(request.ValidSeconds);
        var token = signer.Sign(
            new(
                id,
                terminal,
                merchant,
                request.CardCap.Currency.Code,
                request.CardCap.MinorUnits,
                request.TotalCap.MinorUnits,
                now.ToUnixTimeSeconds(),
                end.ToUnixTimeSeconds()
            )
        );
        var link = OfflineItem.FirstLink(token);
        await db.ExecuteAsync(
            Sql.Insert,
            new
            {
                AllowanceId = id,
                MerchantId = merchant,
                TerminalId = terminal,
                LocationId = request.LocationId,
                Currency = request.CardCap.Currency.Code,
                CardCap = request.CardCap.MinorUnits,
                TotalCap = request.TotalCap.MinorUnits,
                FirstLink = link,
                CreatedAt = now,
                ExpiresAt = end,
            }
        );
        return Answer.Created(
            $"/v1/terminals/{terminal}/offline_allowances/{id}",
            new View(
                id,
                terminal,
                request.LocationId,
                request.CardCap,
                request.TotalCap,
                token,
                Convert.ToHexStringLower(link),
                signer.PublicKey,
                now,
                end
            )
        );
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO offline_allowances (allowance_id, merchant_id, terminal_id, location_id, currency, card_cap,
                   total_cap, last_hash, first_link, created_at, expires_at)
            VALUES (@AllowanceId, @MerchantId, @TerminalId, @LocationId, @Currency, @CardCap, @TotalCap,
                   @FirstLink, @FirstLink, @CreatedAt, @ExpiresAt)
            """;
    }
}
