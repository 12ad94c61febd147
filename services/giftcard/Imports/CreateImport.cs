using System.Text.Json;
using LocalPlus.Giftcard.Programs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Giftcard.Imports;

/// <summary>How the amounts of a file are written.</summary>
internal enum ImportAmounts
{
    /// <summary>2500 are 25.00 EUR.</summary>
    MinorUnits,

    /// <summary>25.00 or 25,00 or € 25.</summary>
    MajorUnits,
}

/// <summary>
/// POST /v1/gift_cards/import: begins to take over cards that were sold elsewhere, with their codes and balances. The
/// file follows in parts, is checked, and nothing is a card before it is committed. Refusals: not_found (programme),
/// program_state, quota_exceeded (too many imports under way), reference_reused.
/// </summary>
internal static class CreateImport
{
    public static IEndpointRouteBuilder MapCreateImport(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/gift_cards/import", HandleAsync)
            .RequireScope("gift_cards:write")
            .RequireIdempotencyKey()
            .Refuses(
                CommonFaults.NotFound,
                Faults.ProgramState,
                CommonFaults.QuotaExceeded,
                CommonFaults.ReferenceReused
            )
            .WithName(nameof(CreateImport))
            .Produces<ImportView>(StatusCodes.Status201Created);
        return group;
    }

    /// <param name="Columns">
    /// What the file calls its columns, by field (code, pin, balance, currency, expires_at, email, name, state), where
    /// it is none of the usual names.
    /// </param>
    internal sealed record Request(
        ProgramId ProgramId,
        ImportAmounts Amounts,
        IReadOnlyDictionary<string, string>? Columns = null,
        string? Reference = null
    );

    private static Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests requests,
        Database database,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Require(
                request.Columns is null
                    || request.Columns.All(c =>
                        ImportColumns.Fields.Contains(c.Key) && c.Value.Length is > 0 and <= GiftcardLimits.NameLength
                    ),
                "/columns",
                "unknown_field"
            )
            .Text(request.Reference, "/reference", GiftcardLimits.ReferenceLength)
            .ThrowIfAny();
        return requests.ExecuteAsync(
            http,
            request,
            db => InsertAsync(db, database, http.GetMerchant().MerchantId, request, time),
            cancel
        );
    }

    private static async Task<Answer> InsertAsync(
        DbSession db,
        Database database,
        MerchantId merchant,
        Request request,
        TimeProvider time
    )
    {
        var program =
            await db.QuerySingleOrDefaultAsync<ProgramRow>(
                Sql.Program,
                new { request.ProgramId, MerchantId = merchant }
            ) ?? throw new FaultException(CommonFaults.NotFound, "There is no such programme.");
        ProgramTerms.CheckSale(program, null);
        await db.ExecuteAsync(Sql.OneByOne, new { MerchantId = merchant });
        if (
            await db.QuerySingleAsync<int>(Sql.UnderWay, new { MerchantId = merchant })
            >= GiftcardLimits.ImportsUnderWay
        )
        {
            throw new FaultException(
                CommonFaults.QuotaExceeded,
                $"{GiftcardLimits.ImportsUnderWay} imports are under way; commit or cancel one."
            );
        }

        var id = JobId.New(time);
        try
        {
            await db.ExecuteAsync(
                Sql.Insert,
                new
                {
                    ImportId = id,
                    MerchantId = merchant,
                    request.ProgramId,
                    Amounts = Wire.Name(request.Amounts),
                    Columns = request.Columns is null
                        ? null
                        : JsonSerializer.Serialize(request.Columns, StrictJson.Options),
                    request.Reference,
                    AccountId = AccountId.New(time),
                    Now = time.GetUtcNow(),
                }
            );
        }
        catch (PostgresException taken) when (taken.ConstraintName == "ix_card_imports_merchant_id_reference")
        {
            throw await References.ReusedAsync<JobId>(
                database,
                References.Import,
                merchant,
                request.Reference!,
                db.Cancel
            );
        }

        var view = (await db.QuerySingleAsync<ImportRow>(Sql.Get, new { ImportId = id })).ToView();
        return Answer.Created($"/v1/jobs/{id}", view, view.Version);
    }

    private static class Sql
    {
        public const string Program = $"""
            {ProgramRow.Columns}
             WHERE p.program_id = @ProgramId
               AND p.merchant_id = @MerchantId
            """;

        public const string Get = $"{ImportRow.Select} WHERE i.import_id = @ImportId";

        // Held to the end of the transaction: of two orders at once the second one counts the first.
        public const string OneByOne =
            "SELECT pg_advisory_xact_lock(hashtextextended('card_imports:' || @MerchantId::text, 0))";

        public const string UnderWay = """
            SELECT count(*)::integer
              FROM card_imports
             WHERE merchant_id = @MerchantId
               AND state IN ('uploading', 'checking', 'checked', 'committing', 'reverting')
            """;

        public const string Insert = """
            INSERT INTO card_imports (import_id, merchant_id, program_id, state, amounts, columns, reference,
                   account_id, created_at, changed_at)
            VALUES (@ImportId, @MerchantId, @ProgramId, 'uploading', @Amounts, @Columns::jsonb, @Reference, @AccountId,
                   @Now, @Now)
            """;
    }
}
