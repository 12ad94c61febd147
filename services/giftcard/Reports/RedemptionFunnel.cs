using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Giftcard.Reports;

/// <summary>
/// GET /v1/reports/funnel?from=&amp;to=&amp;zone=&amp;by=&amp;program_id=&amp;location_id=: what became of the
/// redemptions that a merchant's tills began in a range of days of a time zone (31 at most), by day, programme or
/// location: held, confirmed, completed, cancelled, abandoned, refused and why; and how long each step took. Read from
/// the redemptions themselves. Refusals of requests that were never begun (no such card, a limit) are not among them.
/// Refusals: invalid_request.
/// </summary>
internal static class RedemptionFunnel
{
    private const int DaysMax = 31;

    /// <summary>Days, programmes or locations, each by currency.</summary>
    private const int LinesMax = 1000;

    public static IEndpointRouteBuilder MapRedemptionFunnel(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/reports/funnel", HandleAsync)
            .RequireScope("reports:read")
            .WithName(nameof(RedemptionFunnel))
            .Produces<View>();
        return group;
    }

    internal enum Grouping
    {
        Day,
        Program,
        Location,
    }

    /// <param name="Count">How many came that far.</param>
    internal sealed record Step(long Count, Money Amount);

    internal sealed record Refusal(string Code, long Count);

    /// <summary>In milliseconds: so long half, nine tenths and 99 of 100 took at the most.</summary>
    internal sealed record Duration(string Step, long Count, long P50, long P90, long P99, long Longest);

    /// <summary>
    /// Created is completed, cancelled, abandoned, refused and open. Of day, programme and location there is the one
    /// that was asked for; none: it was not said.
    /// </summary>
    /// <param name="ProgramId">Of the card that pays first.</param>
    /// <param name="Held">Of two phases.</param>
    /// <param name="Completed">With what was captured, refunds not counted.</param>
    /// <param name="Abandoned">Nobody decided in time.</param>
    internal sealed record Line(
        DateOnly? Date,
        ProgramId? ProgramId,
        LocationId? LocationId,
        Step Created,
        long Held,
        long Confirmed,
        Step Completed,
        long Cancelled,
        long Abandoned,
        long Refused,
        long Open,
        IReadOnlyList<Refusal> Refusals,
        IReadOnlyList<Duration> Durations
    );

    internal sealed record View(DateOnly From, DateOnly To, string Zone, string By, IReadOnlyList<Line> Data)
    {
        public string Object { get; } = "funnel_report";
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        DateOnly from,
        DateOnly to,
        Database database,
        CancellationToken cancel,
        string? zone = null,
        string by = "day",
        [FromQuery(Name = "program_id")] ProgramId? programId = null,
        [FromQuery(Name = "location_id")] LocationId? locationId = null
    )
    {
        var found = Days.Zone(zone);
        new FieldChecks()
            .Require(from <= to && to.DayNumber - from.DayNumber < DaysMax, "to")
            .Require(found is not null, "zone", "unknown")
            .Require(Enum.GetValues<Grouping>().Any(g => Wire.Name(g) == by), "by", "unknown")
            .ThrowIfAny();
        var asked = new
        {
            http.GetMerchant().MerchantId,
            Begins = Days.Begins(found!, from),
            Ends = Days.Begins(found!, to.AddDays(1)),
            Zone = found!.Id,
            By = by,
            ProgramId = programId,
            LocationId = locationId,
            Most = LinesMax,
        };
        var counts = await database.QueryAsync<CountRow>(FunnelQueries.Sql.Counts, asked, cancel);
        var refusals = (await database.QueryAsync<RefusalRow>(FunnelQueries.Sql.Refusals, asked, cancel)).ToLookup(
            r => new Key(r.Day, r.ProgramId, r.LocationId, r.Currency)
        );
        var durations = (await database.QueryAsync<DurationRow>(FunnelQueries.Sql.Durations, asked, cancel)).ToLookup(
            r => new Key(r.Day, r.ProgramId, r.LocationId, r.Currency)
        );
        return Answer.Ok(
            new View(
                from,
                to,
                found.Id,
                by,
                [.. counts.Select(c => ToLine(c, refusals[KeyOf(c)], durations[KeyOf(c)]))]
            )
        );
    }

    private static Key KeyOf(CountRow c) => new(c.Day, c.ProgramId, c.LocationId, c.Currency);

    private static Line ToLine(CountRow c, IEnumerable<RefusalRow> refusals, IEnumerable<DurationRow> durations)
    {
        var currency = Currency.Parse(c.Currency);
        return new(
            c.Day,
            c.ProgramId,
            c.LocationId,
            new(c.Created, new(c.Requested, currency)),
            c.Held,
            c.Confirmed,
            new(c.Completed, new(c.Captured, currency)),
            c.Cancelled,
            c.Abandoned,
            c.Refused,
            c.Open,
            [.. refusals.Select(r => new Refusal(r.Code, r.Count))],
            [
                .. durations
                    .OrderBy(d => d.Step, StringComparer.Ordinal)
                    .Select(d => new Duration(d.Step, d.Count, d.P50, d.P90, d.P99, d.Longest)),
            ]
        );
    }

    private sealed record Key(DateOnly? Day, ProgramId? ProgramId, LocationId? LocationId, string Currency);

    private sealed record CountRow(
        DateOnly? Day,
        ProgramId? ProgramId,
        LocationId? LocationId,
        string Currency,
        long Created,
        long Requested,
        long Held,
        long Confirmed,
        long Completed,
        long Captured,
        long Cancelled,
        long Abandoned,
        long Refused,
        long Open
    );

    private sealed record RefusalRow(
        DateOnly? Day,
        ProgramId? ProgramId,
        LocationId? LocationId,
        string Currency,
        string Code,
        long Count
    );

    private sealed record DurationRow(
        DateOnly? Day,
        ProgramId? ProgramId,
        LocationId? LocationId,
        string Currency,
        string Step,
        long Count,
        long P50,
        long P90,
        long P99,
        long Longest
    );
}
