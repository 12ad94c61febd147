using System.Globalization;
using System.Text;
using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Accounts;

namespace LocalPlus.Ledger.Entries;

/// <summary>
/// GET /v1/accounts/{id}/entries/export?format=ndjson|csv&amp;from=&amp;to=: all entries, oldest first, streamed in
/// bounded memory.
/// </summary>
internal static class ExportEntries
{
    private const string CsvHead =
        "id,transaction_id,account_id,sequence,stripe,asset,amount,balance_after,kind,reference,"
        + "effective_at,recorded_at\n";
    private const int FlushEvery = 500;

    public static IEndpointRouteBuilder MapExportEntries(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/accounts/{id}/entries/export", HandleAsync)
            .RequireScope("ledger:read")
            .WithName(nameof(ExportEntries))
            .Produces<string>(StatusCodes.Status200OK, "application/x-ndjson", "text/csv");
        return group;
    }

    private static async Task<IResult> HandleAsync(
        AccountId id,
        string? format,
        Instant? from,
        Instant? to,
        HttpContext http,
        Database database,
        CancellationToken cancel
    )
    {
        var period = Period.Of(from, to);
        var csv = format switch
        {
            null or "ndjson" => false,
            "csv" => true,
            _ => throw new FaultException(
                CommonFaults.InvalidRequest,
                "format is ndjson or csv.",
                new FieldError("format", "invalid")
            ),
        };
        var account = await AccountReader.FindAsync(database, http.GetMerchant().MerchantId, id, cancel);
        http.Response.ContentType = csv ? "text/csv; charset=utf-8" : "application/x-ndjson";
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{id}.{(csv ? "csv" : "ndjson")}\"";
        var body = http.Response.BodyWriter;
        if (csv)
        {
            await body.WriteAsync(Encoding.UTF8.GetBytes(CsvHead), cancel);
        }

        var count = 0;
        await foreach (var row in EntryReader.AllAsync(database, account, period.From, period.To, cancel))
        {
            var line = csv
                ? Encoding.UTF8.GetBytes(Csv(row))
                : [.. JsonSerializer.SerializeToUtf8Bytes(EntryView.Of(row), StrictJson.Options), (byte)'\n'];
            line.CopyTo(body.GetSpan(line.Length));
            body.Advance(line.Length);
            if (++count % FlushEvery == 0)
            {
                await body.FlushAsync(cancel);
            }
        }

        await body.FlushAsync(cancel);
        return Results.Empty;
    }

    private static string Csv(EntryRow row)
    {
        var view = EntryView.Of(row);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{view.Id},{view.TransactionId},{view.AccountId},{view.Sequence},{view.Stripe},{view.Asset},{view.Amount},"
                + $"{view.BalanceAfter},{view.Kind},{Quote(view.Reference)},"
                + $"{view.EffectiveAt:yyyy-MM-ddTHH:mm:ss.fffZ},{view.RecordedAt:yyyy-MM-ddTHH:mm:ss.fffZ}\n"
        );
    }

    /// <summary>RFC 4180; a text that a spreadsheet would take for a formula gets an apostrophe.</summary>
    private static string Quote(string? text) =>
        text switch
        {
            null or "" => "",
            _ when text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' =>
                $"\"'{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"",
            _ => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"",
        };
}
