using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Programs;

/// <summary>
/// PATCH /v1/programs/{id}: changes terms for what happens from now on; cards keep the expiry they were sold with.
/// Members that are not sent stay. A list that is sent replaces the old one; another merchant whose rate changes with
/// it is asked anew. Closing a programme stops sales and loads; its cards stay good. Refusals: not_found,
/// if_match_required, version_conflict, currency_mismatch, invalid_request.
/// </summary>
internal static class ChangeProgram
{
    public static IEndpointRouteBuilder MapChangeProgram(this IEndpointRouteBuilder group)
    {
        group
            .MapPatch("/programs/{id}", HandleAsync)
            .RequireScope("programs:write")
            .RequireIfMatch()
            .Refuses(Faults.CurrencyMismatch)
            .WithName(nameof(ChangeProgram))
            .Produces<ProgramView>();
        return group;
    }

    internal enum Status
    {
        Active,
        Closed,
    }

    internal sealed record Request(
        string? Name = null,
        Status? Status = null,
        int? ValidityDays = null,
        Money? MinLoad = null,
        Money? MaxLoad = null,
        Money? MaxBalance = null,
        bool? Reloadable = null,
        Money? CashOutBelow = null,
        PartialPolicy? Partial = null,
        IReadOnlyList<AcceptanceRequest>? AcceptedAt = null,
        IReadOnlyList<LocationId>? Locations = null,
        string? ImageUrl = null,
        IReadOnlyDictionary<string, string>? Metadata = null
    );

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        ProgramId id,
        Request request,
        Ownership ownership,
        Database database,
        ProgramCopies copies,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        Check(request, merchant);
        var version = http.RequireIfMatch();
        var key = new { ProgramId = id, MerchantId = merchant };
        // A repeat is told that the version is another by now, whether or not the owner of the locations answers.
        CheckVersion(
            await database.QuerySingleOrDefaultAsync<long?>(Sql.Version, key, cancel) ?? throw Absent(),
            version
        );
        await ownership.RequireLocationsAsync(merchant, request.Locations, cancel);
        await using var db = await database.BeginAsync(cancel);
        var row = await db.QuerySingleOrDefaultAsync<ProgramRow>(Sql.Lock, key) ?? throw Absent();
        CheckVersion(row.About.Version, version);
        CheckAmounts(request, row);
        await db.ExecuteAsync(Sql.Change, Changes(row, request));
        if (request.AcceptedAt is { } merchants)
        {
            await AcceptanceOffers.WriteAsync(db, id, http.GetMerchant(), merchants, time.GetUtcNow());
        }

        if (request.Locations is { } locations)
        {
            await db.ExecuteAsync(
                Sql.ReplaceLocations,
                new { row.About.ProgramId, Locations = locations.Distinct().ToArray() }
            );
        }

        var changed = await db.QuerySingleAsync<ProgramRow>(Sql.Get, new { row.About.ProgramId });
        await copies.ChangedAsync(db, id);
        await db.CommitAsync();
        return Answer.Ok(changed.ToView(), changed.About.Version);
    }

    private static FaultException Absent() => new(CommonFaults.NotFound, "There is no such programme.");

    private static void CheckVersion(long version, long expected)
    {
        if (version != expected)
        {
            throw new FaultException(CommonFaults.VersionConflict, $"The programme's version is {version}.");
        }
    }

    private static void Check(Request request, MerchantId issuer) =>
        new FieldChecks()
            .Text(request.Name, "/name", GiftcardLimits.NameLength)
            .Require(request.ValidityDays is null or (>= 1 and <= GiftcardLimits.ValidityDaysMax), "/validity_days")
            .Positive(request.MinLoad, "/min_load")
            .Positive(request.MaxLoad, "/max_load")
            .Positive(request.MaxBalance, "/max_balance")
            .Require(request.CashOutBelow is null or { MinorUnits: >= 0 }, "/cash_out_below")
            .Acceptances(request.AcceptedAt, issuer)
            .Require(
                request.Locations is null || request.Locations.Count <= GiftcardLimits.AcceptancesPerProgram,
                "/locations"
            )
            .WebAddress(request.ImageUrl, "/image_url")
            .Metadata(request.Metadata)
            .ThrowIfAny();

    /// <summary>What is sent has to fit what stays.</summary>
    private static void CheckAmounts(Request request, ProgramRow row)
    {
        Money?[] amounts = [request.MinLoad, request.MaxLoad, request.MaxBalance, request.CashOutBelow];
        if (amounts.Any(a => a is { } amount && amount.Currency.Code != row.About.Currency))
        {
            throw new FaultException(Faults.CurrencyMismatch, $"The programme's amounts are in {row.About.Currency}.");
        }

        var max = request.MaxLoad?.MinorUnits ?? row.Terms.MaxLoad;
        new FieldChecks()
            .Require((request.MinLoad?.MinorUnits ?? row.Terms.MinLoad) <= max, "/max_load")
            .Require(max <= (request.MaxBalance?.MinorUnits ?? row.Terms.MaxBalance), "/max_balance")
            .ThrowIfAny();
    }

    private static object Changes(ProgramRow row, Request request) =>
        new
        {
            row.About.ProgramId,
            request.Name,
            Status = request.Status is { } status ? Wire.Name(status) : null,
            request.ValidityDays,
            MinLoad = request.MinLoad?.MinorUnits,
            MaxLoad = request.MaxLoad?.MinorUnits,
            MaxBalance = request.MaxBalance?.MinorUnits,
            request.Reloadable,
            CashOutBelow = request.CashOutBelow?.MinorUnits,
            Partial = request.Partial is { } partial ? Wire.Name(partial) : null,
            request.ImageUrl,
            Metadata = request.Metadata is null ? null : JsonSerializer.Serialize(request.Metadata, StrictJson.Options),
        };

    private static class Sql
    {
        public const string Get = $"{ProgramRow.Columns} WHERE p.program_id = @ProgramId";

        public const string Version =
            "SELECT version FROM programs WHERE program_id = @ProgramId AND merchant_id = @MerchantId";

        public const string Lock = $"""
            {ProgramRow.Columns}
             WHERE p.program_id = @ProgramId
               AND p.merchant_id = @MerchantId
               FOR NO KEY UPDATE
            """;

        public const string Change = """
            UPDATE programs
               SET name = coalesce(@Name, name),
                   status = coalesce(@Status, status),
                   validity_days = coalesce(@ValidityDays, validity_days),
                   min_load = coalesce(@MinLoad, min_load),
                   max_load = coalesce(@MaxLoad, max_load),
                   max_balance = coalesce(@MaxBalance, max_balance),
                   reloadable = coalesce(@Reloadable, reloadable),
                   cash_out_below = coalesce(@CashOutBelow, cash_out_below),
                   partial = coalesce(@Partial, partial),
                   image_url = coalesce(@ImageUrl, image_url),
                   metadata = coalesce(@Metadata::jsonb, metadata),
                   version = version + 1
             WHERE program_id = @ProgramId
            """;

        public const string ReplaceLocations = """
            DELETE FROM program_locations WHERE program_id = @ProgramId;
            INSERT INTO program_locations (program_id, location_id)
            SELECT @ProgramId, l.location_id
              FROM unnest(@Locations) AS l (location_id)
            """;
    }
}
