using System.Globalization;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Cohorts;

/// <summary>
/// GET /v1/reports/cohorts?from=&amp;to=&amp;zone=: cards by the month of their first value, in a time zone: what came
/// onto them, what was redeemed of it after so many months, what expired and what is outstanding, from the ledger's own
/// entries; at most 60 months. GET /v1/reports/cohorts/csv is the same as CSV. Up to date within seconds. Refusals:
/// invalid_request.
/// </summary>
internal static class GetCohorts
{
    private const string CsvType = "text/csv";

    private static readonly string CsvHead =
        "month,currency,cards,sold,loaded,imported,redeemed,expired,other,outstanding"
        + string.Concat(CohortFold.Ages.Select(age => $",redeemed_after_{age}"))
        + "\r\n";

    internal sealed record Response(string Object, string From, string To, string Zone, IReadOnlyList<Line> Data);

    /// <summary>
    /// Sold, loaded and imported, less redeemed and expired, and other changes, is outstanding.
    /// </summary>
    /// <param name="Other">Signed: adjustments, cash-outs, transfers and the like.</param>
    /// <param name="RedeemedAfter">Of the ages that all cards of the month have reached.</param>
    internal sealed record Line(
        string Month,
        long Cards,
        Money Sold,
        Money Loaded,
        Money Imported,
        Money Redeemed,
        Money Expired,
        Money Other,
        Money Outstanding,
        IReadOnlyList<After> RedeemedAfter
    );

    /// <param name="Amount">Redeemed by cards younger than so many months.</param>
    /// <param name="ShareBasisPoints">Of what was sold, loaded and imported.</param>
    internal sealed record After(int Months, Money Amount, int ShareBasisPoints);

    public static IEndpointRouteBuilder MapGetCohorts(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/reports/cohorts", HandleAsync)
            .RequireScope("reports:read")
            .WithName(nameof(GetCohorts))
            .Produces<Response>();
        group
            .MapGet("/reports/cohorts/csv", CsvAsync)
            .RequireScope("reports:read")
            .WithName("GetCohortsAsCsv")
            .Produces<string>(StatusCodes.Status200OK, CsvType);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        string from,
        string to,
        Database database,
        TimeProvider time,
        CancellationToken cancel,
        string? zone = null
    )
    {
        var range = CohortRange.Of(from, to, zone);
        var cohorts = await CohortReader.ReadAsync(database, time, http.GetMerchant().MerchantId, range, cancel);
        return Answer.Ok(new Response("cohort_report", from, to, range.Zone.Id, [.. cohorts.Select(ToView)]));
    }

    private static async Task<IResult> CsvAsync(
        HttpContext http,
        string from,
        string to,
        Database database,
        TimeProvider time,
        CancellationToken cancel,
        string? zone = null
    )
    {
        var range = CohortRange.Of(from, to, zone);
        var cohorts = await CohortReader.ReadAsync(database, time, http.GetMerchant().MerchantId, range, cancel);
        http.Response.ContentType = $"{CsvType}; charset=utf-8";
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"cohorts-{from}-{to}.csv\"";
        await http.Response.WriteAsync(CsvHead, cancel);
        foreach (var cohort in cohorts)
        {
            await http.Response.WriteAsync(CsvLine(cohort), cancel);
        }

        return Results.Empty;
    }

    /// <summary>An age that not all cards have reached is an empty field.</summary>
    private static string CsvLine(Cohort c) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{CohortRange.Name(c.Month)},{c.Currency},{c.Cards},{c.Sold},{c.Loaded},{c.Imported},{c.Redeemed},"
                + $"{c.Expired},{c.Other},{c.Outstanding}"
        )
        + string.Concat(CohortFold.Ages.Select(age => $",{c.After.FirstOrDefault(a => a.Months == age)?.Amount}"))
        + "\r\n";

    private static Line ToView(Cohort c)
    {
        var currency = Currency.Parse(c.Currency);
        return new(
            CohortRange.Name(c.Month),
            c.Cards,
            new(c.Sold, currency),
            new(c.Loaded, currency),
            new(c.Imported, currency),
            new(c.Redeemed, currency),
            new(c.Expired, currency),
            new(c.Other, currency),
            new(c.Outstanding, currency),
            [.. c.After.Select(a => new After(a.Months, new(a.Amount, currency), a.ShareBasisPoints))]
        );
    }
}
