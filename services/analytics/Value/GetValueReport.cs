using System.Globalization;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Value;

/// <summary>
/// GET /v1/reports/value?from=&amp;to=&amp;zone=: day by day what was on a merchant's cards, what came and what went,
/// from the ledger's own entries; days are those of the zone (an IANA name; UTC when nothing is said), at most 366. GET
/// /v1/reports/value/csv is the same as CSV. Up to date within seconds. Refusals: invalid_request.
/// </summary>
internal static class GetValueReport
{
    private const string CsvType = "text/csv";
    private const string CsvHead =
        "date,currency,opening,sold,loaded,imported,redeemed,refunded,expired,other,closing\r\n";

    internal sealed record Response(string Object, DateOnly From, DateOnly To, string Zone, IReadOnlyList<Day> Data);

    /// <summary>Signed as it changed the cards: opening and what follows add up to closing.</summary>
    internal sealed record Day(
        DateOnly Date,
        Money Opening,
        Money Sold,
        Money Loaded,
        Money Imported,
        Money Redeemed,
        Money Refunded,
        Money Expired,
        Money Other,
        Money Closing
    );

    public static IEndpointRouteBuilder MapGetValueReport(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/reports/value", HandleAsync)
            .RequireScope("reports:read")
            .WithName(nameof(GetValueReport))
            .Produces<Response>();
        group
            .MapGet("/reports/value/csv", CsvAsync)
            .RequireScope("reports:read")
            .WithName("GetValueReportAsCsv")
            .Produces<string>(StatusCodes.Status200OK, CsvType);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        DateOnly from,
        DateOnly to,
        Database database,
        CancellationToken cancel,
        string? zone = null
    )
    {
        var range = ValueRange.Of(from, to, zone);
        var days = await ValueReader.ReadAsync(database, http.GetMerchant().MerchantId, range, cancel);
        return Answer.Ok(new Response("value_report", from, to, range.Zone.Id, [.. days.Select(ToView)]));
    }

    private static async Task<IResult> CsvAsync(
        HttpContext http,
        DateOnly from,
        DateOnly to,
        Database database,
        CancellationToken cancel,
        string? zone = null
    )
    {
        var range = ValueRange.Of(from, to, zone);
        var days = await ValueReader.ReadAsync(database, http.GetMerchant().MerchantId, range, cancel);
        http.Response.ContentType = $"{CsvType}; charset=utf-8";
        http.Response.Headers.ContentDisposition =
            $"attachment; filename=\"value-{from:yyyy-MM-dd}-{to:yyyy-MM-dd}.csv\"";
        await http.Response.WriteAsync(CsvHead, cancel);
        foreach (var day in days)
        {
            await http.Response.WriteAsync(Line(day), cancel);
        }

        return Results.Empty;
    }

    private static string Line(ValueDay d) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{d.Date:yyyy-MM-dd},{d.Currency},{d.Opening},{d.Sold},{d.Loaded},{d.Imported},"
                + $"{d.Redeemed},{d.Refunded},{d.Expired},{d.Other},{d.Closing}\r\n"
        );

    private static Day ToView(ValueDay d)
    {
        var currency = Currency.Parse(d.Currency);
        return new(
            d.Date,
            new(d.Opening, currency),
            new(d.Sold, currency),
            new(d.Loaded, currency),
            new(d.Imported, currency),
            new(d.Redeemed, currency),
            new(d.Refunded, currency),
            new(d.Expired, currency),
            new(d.Other, currency),
            new(d.Closing, currency)
        );
    }
}
