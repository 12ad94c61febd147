using LocalPlus.Giftcard.Reports;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Settlements;

/// <summary>
/// GET /v1/reports/settlement/statements?month=: the statements of a closed month, of the caller's own cards and of
/// those that its tills took, at most 1000. Refusals: invalid_request.
/// </summary>
internal static class ListStatements
{
    private const int Most = 1000;

    public static IEndpointRouteBuilder MapListStatements(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/reports/settlement/statements", HandleAsync)
            .RequireScope("reports:read")
            .WithName(nameof(ListStatements))
            .Produces<StatementList>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        string month,
        Database database,
        CancellationToken cancel
    )
    {
        var asked = Month.Parse(month);
        new FieldChecks().Require(asked is not null, "month", "invalid").ThrowIfAny();
        var reader = http.GetMerchant().MerchantId;
        var rows = await database.QueryAsync<StatementRow>(
            Sql.List,
            new
            {
                MerchantId = reader,
                Month = asked!.Value,
                Most,
            },
            cancel
        );
        return Answer.Ok(new StatementList([.. rows.Select(r => r.ToView(reader))]));
    }

    private static class Sql
    {
        public const string List = $"""
            {StatementRow.Columns}
             WHERE (issuer_id = @MerchantId OR merchant_id = @MerchantId)
               AND month = @Month
             ORDER BY issuer_id, merchant_id, currency
             LIMIT @Most
            """;
    }
}

/// <summary>
/// GET /v1/reports/settlement/statements/{id}/pdf: a statement on a sheet of A4, for either merchant. Refusals:
/// not_found.
/// </summary>
internal static class GetStatementSheet
{
    private const string PdfType = "application/pdf";

    public static IEndpointRouteBuilder MapGetStatementSheet(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/reports/settlement/statements/{id}/pdf", HandleAsync)
            .RequireScope("reports:read")
            .Refuses(CommonFaults.NotFound)
            .WithName(nameof(GetStatementSheet))
            .Produces<byte[]>(StatusCodes.Status200OK, PdfType);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        SettlementStatementId id,
        Database database,
        CancellationToken cancel
    )
    {
        var row =
            await database.QuerySingleOrDefaultAsync<StatementRow>(
                Sql.Get,
                new { http.GetMerchant().MerchantId, StatementId = id },
                cancel
            ) ?? throw new FaultException(CommonFaults.NotFound, "There is no such statement.");
        return Results.File(StatementSheet.Draw(row), PdfType, $"settlement-{Month.Name(row.Month)}-{id}.pdf");
    }

    private static class Sql
    {
        public const string Get = $"""
            {StatementRow.Columns}
             WHERE statement_id = @StatementId
               AND (issuer_id = @MerchantId OR merchant_id = @MerchantId)
            """;
    }
}
