using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Imports;

/// <summary>
/// GET /v1/gift_cards/import/{id}/report: every row of an import as CSV, streamed: where it stood, its last four
/// characters, what becomes or became of it and why. Whole codes are nowhere in it. Refusals: not_found.
/// </summary>
internal static class ImportReport
{
    private const int PerRead = 1000;
    public const string Head = "part,line,last4,amount,currency,state,fault,detail,gift_card_id\r\n";

    public static IEndpointRouteBuilder MapImportReport(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/gift_cards/import/{id}/report", HandleAsync)
            .RequireScope("gift_cards:read")
            .WithName(nameof(ImportReport))
            .Produces<string>(StatusCodes.Status200OK, ImportParser.Csv);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        JobId id,
        Database database,
        CancellationToken cancel
    )
    {
        var import =
            await database.QuerySingleOrDefaultAsync<ImportRow>(
                Sql.Get,
                new { ImportId = id, http.GetMerchant().MerchantId },
                cancel
            ) ?? throw new FaultException(CommonFaults.NotFound, "There is no such import.");
        await WriteAsync(http.Response, import, database, refusedOnly: false, cancel);
        return Results.Empty;
    }

    /// <summary>Sends rows as they are read, in bounded memory.</summary>
    public static async Task WriteAsync(
        HttpResponse response,
        ImportRow import,
        Database database,
        bool refusedOnly,
        CancellationToken cancel
    )
    {
        response.ContentType = $"{ImportParser.Csv}; charset=utf-8";
        response.Headers.ContentDisposition = $"attachment; filename=\"{import.ImportId}.csv\"";
        await response.WriteAsync(Head, cancel);
        await foreach (var rows in PagesAsync(import, database, refusedOnly, cancel))
        {
            var text = new StringBuilder();
            foreach (var row in rows)
            {
                // Only what this service made itself: no text of the file, so nothing that a spreadsheet would run.
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"{row.Part},{row.Line},{row.Last4},{row.Amount},{import.Order.Currency},"
                        + $"{row.State},{row.Fault},{row.Detail},{row.Card}\r\n"
                );
            }

            await response.WriteAsync(text.ToString(), cancel);
            await response.Body.FlushAsync(cancel);
        }
    }

    private static async IAsyncEnumerable<IReadOnlyList<ReportRow>> PagesAsync(
        ImportRow import,
        Database database,
        bool refusedOnly,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        var (part, line) = (0, 0);
        while (true)
        {
            var rows = await database.QueryAsync<ReportRow>(
                Sql.Page,
                new
                {
                    import.ImportId,
                    Part = part,
                    Line = line,
                    RefusedOnly = refusedOnly,
                    Take = PerRead,
                },
                cancel
            );
            if (rows.Count == 0)
            {
                yield break;
            }

            yield return rows;
            (part, line) = (rows[^1].Part, rows[^1].Line);
        }
    }

    private sealed record ReportRow(
        int Part,
        int Line,
        string? Last4,
        long? Amount,
        string State,
        string? Fault,
        string? Detail,
        GiftCardId GiftCardId
    )
    {
        /// <summary>Only what is a card has its id.</summary>
        public string Card =>
            State is ImportRowState.Ready or ImportRowState.Refused or ImportRowState.Placed
                ? ""
                : GiftCardId.ToString();
    }

    private static class Sql
    {
        public const string Get = $"""
            {ImportRow.Select}
             WHERE i.import_id = @ImportId
               AND i.merchant_id = @MerchantId
            """;

        public const string Page = """
            SELECT part, line, last4, amount, state, fault, detail, gift_card_id
              FROM card_import_rows
             WHERE import_id = @ImportId
               AND (part, line) > (@Part, @Line)
               AND (NOT @RefusedOnly OR state = 'refused')
             ORDER BY part, line
             LIMIT @Take
            """;
    }
}
