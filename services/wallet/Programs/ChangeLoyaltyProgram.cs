using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Programs;

/// <summary>
/// PATCH /v1/loyalty_programs/{id}: other terms for what is earned from now on; points keep the expiry and the value
/// that they came with. Members that are not sent stay; a list that is sent replaces the old one. A closed programme
/// enrols nobody and nothing is earned in it; its points stay good. Refusals: not_found, if_match_required,
/// version_conflict, currency_mismatch, invalid_request.
/// </summary>
internal static class ChangeLoyaltyProgram
{
    internal enum Status
    {
        Active,
        Closed,
    }

    /// <param name="ReturnWindowDays">0: points do not wait any more.</param>
    internal sealed record Request(
        string? Name = null,
        Status? State = null,
        EarnRate? Earn = null,
        PointValue? PointValue = null,
        string? TimeZone = null,
        Rounding? Rounding = null,
        ExpiryPolicy? Expiry = null,
        IReadOnlyList<EarningLocation>? Locations = null,
        TierTerms? Tiers = null,
        IReadOnlyList<PartnerRequest>? Partners = null,
        int? ReturnWindowDays = null
    );

    public static IEndpointRouteBuilder MapChangeLoyaltyProgram(this IEndpointRouteBuilder group)
    {
        group
            .MapPatch("/loyalty_programs/{id}", HandleAsync)
            .RequireScope("loyalty:write")
            .RequireIfMatch()
            .Refuses(Faults.CurrencyMismatch)
            .WithName(nameof(ChangeLoyaltyProgram))
            .Produces<LoyaltyProgramView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        ProgramId id,
        Request request,
        Database database,
        LocationOwnership locations,
        LoyaltyProgramCopies copies,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant();
        var version = http.RequireIfMatch();
        new FieldChecks().Name(request.Name).NamesOthers(request.Partners, merchant.MerchantId).ThrowIfAny();
        await locations.RequireAsync(merchant.MerchantId, request.Locations ?? [], cancel);
        await using var db = await database.BeginAsync(cancel);
        var row =
            await db.QuerySingleOrDefaultAsync<LoyaltyProgramRow>(
                Sql.Lock,
                new
                {
                    ProgramId = id,
                    merchant.MerchantId,
                    merchant.Live,
                }
            ) ?? throw LoyaltyPrograms.Absent();
        if (row.Version != version)
        {
            throw new FaultException(CommonFaults.VersionConflict, $"The programme's version is {row.Version}.");
        }

        var terms = Changed(row.ToTerms(), request);
        LoyaltyChecks.Check(terms, Currency.Parse(row.Currency), request.Partners);
        await db.ExecuteAsync(
            Sql.Change,
            new
            {
                ProgramId = id,
                Name = request.Name?.Trim() ?? row.Name,
                State = request.State switch
                {
                    Status.Active => LoyaltyProgramRow.Active,
                    Status.Closed => "closed",
                    _ => row.State,
                },
                Terms = StoredJson.Write(terms),
            }
        );
        await db.ExecuteAsync(LoyaltyPrograms.Sql.AddVersion, new { ProgramId = id, ValidFrom = time.GetUtcNow() });
        if (request.Partners is { } partners)
        {
            await Partners.OfferAsync(db, id, merchant, partners, time.GetUtcNow());
        }

        var changed = await LoyaltyPrograms.GetAsync(db, id);
        await copies.ChangedAsync(db, id);
        await db.CommitAsync();
        return Answer.Ok(changed.ToView(), changed.Version);
    }

    private static LoyaltyTerms Changed(LoyaltyTerms terms, Request request) =>
        terms with
        {
            Earn = request.Earn ?? terms.Earn,
            PointValue = request.PointValue ?? terms.PointValue,
            TimeZone = request.TimeZone ?? terms.TimeZone,
            Rounding = request.Rounding ?? terms.Rounding,
            Expiry = request.Expiry ?? terms.Expiry,
            Locations = request.Locations ?? terms.Locations,
            Tiers = request.Tiers ?? terms.Tiers,
            ReturnWindowDays = request.ReturnWindowDays is { } days
                ? days == 0
                    ? null
                    : days
                : terms.ReturnWindowDays,
        };

    private static class Sql
    {
        public const string Lock = $"""
            {LoyaltyPrograms.Sql.Own}
               FOR NO KEY UPDATE
            """;

        public const string Change = """
            UPDATE loyalty_programs
               SET name = @Name,
                   state = @State,
                   terms = @Terms::jsonb,
                   version = version + 1
             WHERE program_id = @ProgramId
            """;
    }
}
