using System.Globalization;
using System.Text.Json;
using LocalPlus.Analytics.Intake;
using LocalPlus.Analytics.Value;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Analytics.Activity;

/// <summary>What is asked about.</summary>
internal sealed record ActivityQuery(
    ValueRange Range,
    Grouping By,
    ProgramId? ProgramId,
    LocationId? LocationId,
    TerminalId? TerminalId
);

/// <summary>The parameters of a request.</summary>
internal sealed class ActivityParameters
{
    /// <summary>About three months.</summary>
    private const int MaxDays = 92;

    [FromQuery(Name = "from")]
    public DateOnly From { get; init; }

    [FromQuery(Name = "to")]
    public DateOnly To { get; init; }

    [FromQuery(Name = "zone")]
    public string? Zone { get; init; }

    [FromQuery(Name = "by")]
    public string? By { get; init; }

    [FromQuery(Name = "program_id")]
    public ProgramId? ProgramId { get; init; }

    [FromQuery(Name = "location_id")]
    public LocationId? LocationId { get; init; }

    [FromQuery(Name = "terminal_id")]
    public TerminalId? TerminalId { get; init; }

    /// <summary>Refuses with invalid_request.</summary>
    public ActivityQuery Checked()
    {
        var by = Enum.GetValues<Grouping>().Where(g => Name(g) == (By ?? Name(Grouping.Total))).ToArray();
        var range = ValueRange.Of(From, To, Zone);
        new FieldChecks()
            .Require(To.DayNumber - From.DayNumber < MaxDays, "to")
            .Require(by.Length == 1, "by", "unknown")
            .ThrowIfAny();
        return new(range, by[0], ProgramId, LocationId, TerminalId);
    }

    public static string Name(Grouping by) => JsonNamingPolicy.SnakeCaseLower.ConvertName(by.ToString());
}

/// <summary>
/// GET /v1/reports/activity?from=&amp;to=&amp;zone=&amp;by=&amp;program_id=&amp;location_id=&amp;terminal_id=: how
/// often and for how much was sold, loaded, redeemed, refunded, and what expired, by day of a time zone (92 at most)
/// and, if that is asked for, by programme, location or terminal; days without business are left out. Sold, loaded and
/// expired is the issuer's, redeemed and refunded where it was spent. GET /v1/reports/activity/csv is the same as CSV.
/// Up to date within seconds. Refusals: invalid_request.
/// </summary>
internal static class GetActivity
{
    private const string CsvType = "text/csv";
    private static readonly string[] Kinds =
    [
        FactKinds.Sold,
        FactKinds.Loaded,
        FactKinds.Redeemed,
        FactKinds.Refunded,
        FactKinds.Expired,
    ];

    private static readonly string CsvHead =
        "date,currency,program_id,location_id,terminal_id"
        + string.Concat(Kinds.Select(kind => $",{kind}_count,{kind}"))
        + "\r\n";

    internal sealed record Response(
        string Object,
        DateOnly From,
        DateOnly To,
        string Zone,
        string By,
        IReadOnlyList<Day> Data
    );

    /// <param name="ProgramId">With by=program; absent: of no programme, as points are.</param>
    /// <param name="LocationId">With by=location or by=terminal; absent: it was not said.</param>
    internal sealed record Day(
        DateOnly Date,
        ProgramId? ProgramId,
        LocationId? LocationId,
        TerminalId? TerminalId,
        Total Sold,
        Total Loaded,
        Total Redeemed,
        Total Refunded,
        Total Expired
    );

    internal sealed record Total(long Count, Money Amount);

    public static IEndpointRouteBuilder MapGetActivity(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/reports/activity", HandleAsync)
            .RequireScope("reports:read")
            .WithName(nameof(GetActivity))
            .Produces<Response>();
        group
            .MapGet("/reports/activity/csv", CsvAsync)
            .RequireScope("reports:read")
            .WithName("GetActivityAsCsv")
            .Produces<string>(StatusCodes.Status200OK, CsvType);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        [AsParameters] ActivityParameters asked,
        Database database,
        CancellationToken cancel
    )
    {
        var query = asked.Checked();
        var days = await ActivityReader.ReadAsync(database, http.GetMerchant().MerchantId, query, cancel);
        return Answer.Ok(
            new Response(
                "activity_report",
                query.Range.From,
                query.Range.To,
                query.Range.Zone.Id,
                ActivityParameters.Name(query.By),
                [.. days.Select(ToView)]
            )
        );
    }

    private static async Task<IResult> CsvAsync(
        HttpContext http,
        [AsParameters] ActivityParameters asked,
        Database database,
        CancellationToken cancel
    )
    {
        var query = asked.Checked();
        var days = await ActivityReader.ReadAsync(database, http.GetMerchant().MerchantId, query, cancel);
        http.Response.ContentType = $"{CsvType}; charset=utf-8";
        http.Response.Headers.ContentDisposition =
            $"attachment; filename=\"activity-{query.Range.From:yyyy-MM-dd}-{query.Range.To:yyyy-MM-dd}.csv\"";
        await http.Response.WriteAsync(CsvHead, cancel);
        foreach (var day in days)
        {
            await http.Response.WriteAsync(CsvLine(day), cancel);
        }

        return Results.Empty;
    }

    private static string CsvLine(ActivityDay d) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{d.Day:yyyy-MM-dd},{d.Currency},{d.ProgramId},{d.LocationId},{d.TerminalId}"
        )
        + string.Concat(
            Kinds.Select(kind =>
                string.Create(CultureInfo.InvariantCulture, $",{d.Of(kind).Count},{d.Of(kind).Amount}")
            )
        )
        + "\r\n";

    private static Day ToView(ActivityDay d)
    {
        var currency = Currency.Parse(d.Currency);
        return new(
            d.Day,
            d.ProgramId,
            d.LocationId,
            d.TerminalId,
            ToTotal(FactKinds.Sold),
            ToTotal(FactKinds.Loaded),
            ToTotal(FactKinds.Redeemed),
            ToTotal(FactKinds.Refunded),
            ToTotal(FactKinds.Expired)
        );

        Total ToTotal(string kind) => new(d.Of(kind).Count, new Money(d.Of(kind).Amount, currency));
    }
}
