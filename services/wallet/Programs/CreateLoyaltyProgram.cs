using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Programs;

/// <summary>
/// POST /v1/loyalty_programs: points of a merchant's own, and the terms under which they are earned. Refusals:
/// invalid_request, currency_mismatch, reference_reused.
/// </summary>
internal static class CreateLoyaltyProgram
{
    /// <param name="ReturnWindowDays">Points wait so many days after the day of their purchase; absent: not.</param>
    internal sealed record Request(
        string Name,
        Currency Currency,
        EarnRate Earn,
        PointValue PointValue,
        string TimeZone,
        Rounding Rounding = Rounding.Down,
        ExpiryPolicy? Expiry = null,
        NegativePolicy Negative = NegativePolicy.Owed,
        IReadOnlyList<EarningLocation>? Locations = null,
        TierTerms? Tiers = null,
        IReadOnlyList<PartnerRequest>? Partners = null,
        string? Reference = null,
        int? ReturnWindowDays = null
    );

    public static IEndpointRouteBuilder MapCreateLoyaltyProgram(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/loyalty_programs", HandleAsync)
            .RequireScope("loyalty:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.CurrencyMismatch, CommonFaults.ReferenceReused)
            .WithName(nameof(CreateLoyaltyProgram))
            .Produces<LoyaltyProgramView>(StatusCodes.Status201Created);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests requests,
        LocationOwnership locations,
        LoyaltyProgramCopies copies,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant();
        var terms = new LoyaltyTerms(
            request.Earn,
            request.PointValue,
            request.TimeZone,
            request.Rounding,
            request.Expiry ?? new(ExpiryKind.Never),
            request.Negative,
            request.Locations ?? [],
            request.Tiers,
            request.ReturnWindowDays
        );
        new FieldChecks()
            .Name(request.Name)
            .Text(request.Reference, "/reference", LoyaltyLimits.ReferenceLength)
            .NamesOthers(request.Partners, merchant.MerchantId)
            .ThrowIfAny();
        LoyaltyChecks.Check(terms, request.Currency, request.Partners);
        await locations.RequireAsync(merchant.MerchantId, terms.Locations, cancel);
        return await requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var id = ProgramId.New(time);
                var answer = await InsertAsync(db, merchant, request, terms, time.GetUtcNow(), id);
                await copies.ChangedAsync(db, id);
                return answer;
            },
            cancel
        );
    }

    private static async Task<Answer> InsertAsync(
        DbSession db,
        MerchantIdentity merchant,
        Request request,
        LoyaltyTerms terms,
        DateTimeOffset now,
        ProgramId id
    )
    {
        var inserted = await db.ExecuteAsync(
            Sql.Insert,
            new
            {
                ProgramId = id,
                merchant.MerchantId,
                merchant.Live,
                Name = request.Name.Trim(),
                Currency = request.Currency.Code,
                Terms = StoredJson.Write(terms),
                request.Reference,
                CreatedAt = now,
            }
        );
        if (inserted == 0)
        {
            throw CommonFaults.ReferenceReusedBy(
                await db.QuerySingleAsync<ProgramId>(Sql.Holder, new { merchant.MerchantId, request.Reference })
            );
        }

        await db.ExecuteAsync(LoyaltyPrograms.Sql.AddVersion, new { ProgramId = id, ValidFrom = now });
        await Partners.OfferAsync(db, id, merchant, request.Partners ?? [], now);
        var row = await LoyaltyPrograms.GetAsync(db, id);
        return Answer.Created($"/v1/loyalty_programs/{id}", row.ToView(), row.Version);
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO loyalty_programs (program_id, merchant_id, live, name, currency, state, terms, reference,
                   version, created_at)
            VALUES (@ProgramId, @MerchantId, @Live, @Name, @Currency, 'active', @Terms::jsonb, @Reference,
                   1, @CreatedAt)
                ON CONFLICT (merchant_id, reference) DO NOTHING
            """;

        // The insert waited for whoever came first, so its row is visible to this statement.
        public const string Holder = """
            SELECT program_id
              FROM loyalty_programs
             WHERE merchant_id = @MerchantId
               AND reference = @Reference
            """;
    }
}
