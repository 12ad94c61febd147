using System.Globalization;
using LocalPlus.Analytics.Value;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Analytics.Loyalty;

/// <summary>
/// GET /v1/reports/loyalty?from=&amp;to=&amp;zone=&amp;program_id=: what moved the points of a merchant's members, by
/// day of a time zone (366 at most) and loyalty programme, in points and in money as they are owed; days without any
/// are left out. GET /v1/reports/loyalty/csv is the same as CSV. Up to date within seconds. Refusals: invalid_request.
/// </summary>
internal static class GetLoyaltyReport
{
    private const string CsvType = "text/csv";
    private const string CsvHead =
        "date,program_id,earned,pending,burned,taken_back,expired,other,currency,given,used,lapsed\r\n";

    internal sealed record Response(string Object, DateOnly From, DateOnly To, string Zone, IReadOnlyList<Day> Data);

    /// <summary>
    /// Points: earned less burned, taken back and expired, and other, is what members may spend more. Money: given less
    /// used and lapsed is what they are owed more, what open redemptions hold included.
    /// </summary>
    /// <param name="Pending">Change of the points that wait for their time.</param>
    /// <param name="Burned">Spent and held, less what came back.</param>
    /// <param name="Other">Signed: adjustments, transfers, what leaving members lost.</param>
    /// <param name="Given">What the points that were given cost, less those taken back.</param>
    internal sealed record Day(
        DateOnly Date,
        ProgramId ProgramId,
        long Earned,
        long Pending,
        long Burned,
        long TakenBack,
        long Expired,
        long Other,
        Money? Given,
        Money? Used,
        Money? Lapsed
    );

    public static IEndpointRouteBuilder MapGetLoyaltyReport(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/reports/loyalty", HandleAsync)
            .RequireScope("reports:read")
            .WithName(nameof(GetLoyaltyReport))
            .Produces<Response>();
        group
            .MapGet("/reports/loyalty/csv", CsvAsync)
            .RequireScope("reports:read")
            .WithName("GetLoyaltyReportAsCsv")
            .Produces<string>(StatusCodes.Status200OK, CsvType);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        DateOnly from,
        DateOnly to,
        Database database,
        CancellationToken cancel,
        string? zone = null,
        [FromQuery(Name = "program_id")] ProgramId? programId = null
    )
    {
        var range = ValueRange.Of(from, to, zone);
        var days = await LoyaltyReader.ReadAsync(database, http.GetMerchant().MerchantId, range, programId, cancel);
        return Answer.Ok(new Response("loyalty_report", from, to, range.Zone.Id, [.. days.Select(ToView)]));
    }

    private static async Task<IResult> CsvAsync(
        HttpContext http,
        DateOnly from,
        DateOnly to,
        Database database,
        CancellationToken cancel,
        string? zone = null,
        [FromQuery(Name = "program_id")] ProgramId? programId = null
    )
    {
        var range = ValueRange.Of(from, to, zone);
        var days = await LoyaltyReader.ReadAsync(database, http.GetMerchant().MerchantId, range, programId, cancel);
        http.Response.ContentType = $"{CsvType}; charset=utf-8";
        http.Response.Headers.ContentDisposition =
            $"attachment; filename=\"loyalty-{from:yyyy-MM-dd}-{to:yyyy-MM-dd}.csv\"";
        await http.Response.WriteAsync(CsvHead, cancel);
        foreach (var day in days)
        {
            await http.Response.WriteAsync(CsvLine(day), cancel);
        }

        return Results.Empty;
    }

    private static string CsvLine(LoyaltyDay d) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{d.Day:yyyy-MM-dd},{d.ProgramId},{d.Points.Earned},{d.Points.Pending},{d.Points.Burned},"
                + $"{d.Points.TakenBack},{d.Points.Expired},{d.Points.Other},{d.Currency},{d.Money.Given},"
                + $"{d.Money.Used},{d.Money.Lapsed}\r\n"
        );

    private static Day ToView(LoyaltyDay d)
    {
        return new(
            d.Day,
            d.ProgramId,
            d.Points.Earned,
            d.Points.Pending,
            d.Points.Burned,
            d.Points.TakenBack,
            d.Points.Expired,
            d.Points.Other,
            InMoney(d.Money.Given),
            InMoney(d.Money.Used),
            InMoney(d.Money.Lapsed)
        );

        Money? InMoney(long amount) => d.Currency is { } code ? new Money(amount, Currency.Parse(code)) : null;
    }
}
