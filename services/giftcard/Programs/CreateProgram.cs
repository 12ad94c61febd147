using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Giftcard.Programs;

/// <summary>
/// POST /v1/programs: the terms under which cards are issued. Amounts are in the programme's currency. Refusals:
/// invalid_request, currency_mismatch, reference_reused.
/// </summary>
internal static class CreateProgram
{
    public static IEndpointRouteBuilder MapCreateProgram(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/programs", HandleAsync)
            .RequireScope("programs:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.CurrencyMismatch, CommonFaults.ReferenceReused)
            .WithName(nameof(CreateProgram))
            .Produces<ProgramView>(StatusCodes.Status201Created);
        return group;
    }

    internal sealed record Request(
        string Name,
        Currency Currency,
        int? ValidityDays = null,
        VatKind VatKind = VatKind.MultiPurpose,
        Money? MinLoad = null,
        Money? MaxLoad = null,
        Money? MaxBalance = null,
        bool Reloadable = true,
        Money? CashOutBelow = null,
        PartialPolicy Partial = PartialPolicy.Refuse,
        PinPolicy Pin = PinPolicy.None,
        IReadOnlyList<AcceptanceRequest>? AcceptedAt = null,
        IReadOnlyList<LocationId>? Locations = null,
        string? ImageUrl = null,
        string? Reference = null,
        IReadOnlyDictionary<string, string>? Metadata = null
    );

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests requests,
        Ownership ownership,
        Database database,
        ProgramCopies copies,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant();
        Check(request, merchant.MerchantId);
        return await requests.ExecuteAsync(
            http,
            request,
            () => ownership.RequireLocationsAsync(merchant.MerchantId, request.Locations, cancel),
            async db =>
            {
                var view = await InsertAsync(db, database, merchant, request, time);
                await copies.ChangedAsync(db, view.Id);
                return Answer.Created($"/v1/programs/{view.Id}", view, view.Version);
            },
            cancel
        );
    }

    private static void Check(Request request, MerchantId issuer)
    {
        new FieldChecks()
            .Text(request.Name, "/name", GiftcardLimits.NameLength)
            .Require(request.ValidityDays is null or (>= 1 and <= GiftcardLimits.ValidityDaysMax), "/validity_days")
            .Positive(request.MinLoad, "/min_load")
            .Positive(request.MaxLoad, "/max_load")
            .Positive(request.MaxBalance, "/max_balance")
            .Require(request.CashOutBelow is null or { MinorUnits: >= 0 }, "/cash_out_below")
            .Require(Min(request) <= Max(request), "/max_load")
            .Require(Max(request) <= MaxBalance(request), "/max_balance")
            .Acceptances(request.AcceptedAt, issuer)
            .Require(
                request.Locations is null || request.Locations.Count <= GiftcardLimits.AcceptancesPerProgram,
                "/locations"
            )
            .WebAddress(request.ImageUrl, "/image_url")
            .Text(request.Reference, "/reference", GiftcardLimits.ReferenceLength)
            .Metadata(request.Metadata)
            .ThrowIfAny();
        Money?[] amounts = [request.MinLoad, request.MaxLoad, request.MaxBalance, request.CashOutBelow];
        if (amounts.Any(a => a is { } amount && amount.Currency != request.Currency))
        {
            throw new FaultException(Faults.CurrencyMismatch, $"The programme's amounts are in {request.Currency}.");
        }
    }

    private static long Min(Request request) => request.MinLoad?.MinorUnits ?? 1;

    private static long Max(Request request) =>
        request.MaxLoad?.MinorUnits ?? Math.Max(Min(request), DefaultMax(request));

    private static long MaxBalance(Request request) =>
        request.MaxBalance?.MinorUnits ?? Math.Max(Max(request), DefaultMax(request));

    // 10,000 of any currency, in its own minor unit: a slip of the keyboard should not become a card of a million.
    private static long DefaultMax(Request request) => request.Currency.Units(10_000);

    private static async Task<ProgramView> InsertAsync(
        DbSession db,
        Database database,
        MerchantIdentity merchant,
        Request request,
        TimeProvider time
    )
    {
        var id = ProgramId.New(time);
        try
        {
            await db.ExecuteAsync(
                Sql.Insert,
                new
                {
                    ProgramId = id,
                    MerchantId = merchant.MerchantId,
                    request.Name,
                    Currency = request.Currency.Code,
                    request.ValidityDays,
                    VatKind = Wire.Name(request.VatKind),
                    MinLoad = Min(request),
                    MaxLoad = Max(request),
                    MaxBalance = MaxBalance(request),
                    request.Reloadable,
                    CashOutBelow = request.CashOutBelow?.MinorUnits ?? 0,
                    Partial = Wire.Name(request.Partial),
                    Pin = Wire.Name(request.Pin),
                    request.ImageUrl,
                    request.Reference,
                    Metadata = request.Metadata is null
                        ? null
                        : JsonSerializer.Serialize(request.Metadata, StrictJson.Options),
                    CreatedAt = time.GetUtcNow(),
                    Locations = (request.Locations ?? []).Distinct().ToArray(),
                }
            );
            await AcceptanceOffers.WriteAsync(db, id, merchant, request.AcceptedAt ?? [], time.GetUtcNow());
        }
        catch (PostgresException taken) when (taken.ConstraintName == "ix_programs_merchant_id_reference")
        {
            throw await References.ReusedAsync<ProgramId>(
                database,
                References.Program,
                merchant.MerchantId,
                request.Reference!,
                db.Cancel
            );
        }

        return (await db.QuerySingleAsync<ProgramRow>(Sql.Get, new { ProgramId = id })).ToView();
    }

    private static class Sql
    {
        public const string Get = $"{ProgramRow.Columns} WHERE p.program_id = @ProgramId";

        public const string Insert = """
            INSERT INTO programs (program_id, merchant_id, name, currency, status, validity_days, vat_kind, min_load,
                   max_load, max_balance, reloadable, cash_out_below, partial, pin, image_url, reference, metadata,
                   created_at)
            VALUES (@ProgramId, @MerchantId, @Name, @Currency, 'active', @ValidityDays, @VatKind, @MinLoad, @MaxLoad,
                   @MaxBalance, @Reloadable, @CashOutBelow, @Partial, @Pin, @ImageUrl, @Reference, @Metadata::jsonb,
                   @CreatedAt);
            INSERT INTO program_locations (program_id, location_id)
            SELECT @ProgramId, l.location_id
              FROM unnest(@Locations) AS l (location_id)
            """;
    }
}
