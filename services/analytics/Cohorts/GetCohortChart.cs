using System.Globalization;
using System.Text;
using LocalPlus.Analytics.Value;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Cohorts;

/// <summary>
/// GET /v1/reports/cohorts/chart?from=&amp;to=&amp;currency=&amp;zone=: a bar for each month of sale, of what was
/// redeemed (below), expired and is outstanding (above), as an SVG picture. Refusals: invalid_request.
/// </summary>
internal static class GetCohortChart
{
    private const string SvgType = "image/svg+xml";

    public static IEndpointRouteBuilder MapGetCohortChart(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/reports/cohorts/chart", HandleAsync)
            .RequireScope("reports:read")
            .WithName(nameof(GetCohortChart))
            .Produces<string>(StatusCodes.Status200OK, SvgType);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        string from,
        string to,
        string currency,
        Database database,
        TimeProvider time,
        CancellationToken cancel,
        string? zone = null
    )
    {
        new FieldChecks().Require(Currency.TryParse(currency, out var known), "currency", "unknown").ThrowIfAny();
        var range = CohortRange.Of(from, to, zone);
        var cohorts = await CohortReader.ReadAsync(database, time, http.GetMerchant().MerchantId, range, cancel);
        return Results.Text(
            CohortChart.Draw([.. cohorts.Where(c => c.Currency == currency)], known),
            SvgType,
            Encoding.UTF8
        );
    }
}

/// <summary>Draws cohorts. Pure; every text in it is a month, a figure or ours.</summary>
internal static class CohortChart
{
    private const int Width = 720;
    private const int Height = 240;
    private const int Margin = 40;

    public static string Draw(IReadOnlyList<Cohort> cohorts, Currency currency)
    {
        var svg = new StringBuilder();
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" role=\"img\" "
                + $"font-family=\"sans-serif\" font-size=\"11\">"
        );
        if (cohorts.Count == 0)
        {
            return svg.Append("<title>No cards were sold</title></svg>").ToString();
        }

        var (first, last) = (CohortRange.Name(cohorts[0].Month), CohortRange.Name(cohorts[^1].Month));
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<title>Cards by month of sale in {currency.Code}, {first} to {last}: redeemed, expired, outstanding"
                + $"</title>"
        );
        var top = Math.Max(1, cohorts.Max(c => Parts(c).Sum(part => part.Amount)));
        var step = (Width - (2 * Margin)) / (long)cohorts.Count is > 0 and var wide ? wide : 1;
        foreach (var (n, cohort) in cohorts.Index())
        {
            var x = Margin + ((Width - (2 * Margin)) * (long)n / cohorts.Count);
            long below = 0;
            foreach (var (amount, colour) in Parts(cohort))
            {
                Bar(svg, x, step, Y(below + amount), Y(below), colour);
                below += amount;
            }
        }

        return svg.Append(
                CultureInfo.InvariantCulture,
                $"<path d=\"M{Margin} {Y(0)}H{Width - Margin}\" stroke=\"#888\"/>"
            )
            .Append(CultureInfo.InvariantCulture, $"<text x=\"{Margin}\" y=\"14\">{Amounts.Text(top, currency)}</text>")
            .Append(CultureInfo.InvariantCulture, $"<text x=\"{Margin}\" y=\"{Height - 6}\">{first}</text>")
            .Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{Width - Margin}\" y=\"{Height - 6}\" text-anchor=\"end\">{last}</text></svg>"
            )
            .ToString();

        long Y(long amount) => (long)(Margin + ((Int128)(Height - (2 * Margin)) * ((Int128)top - amount) / top));
    }

    private static void Bar(StringBuilder svg, long x, long width, long from, long to, string colour)
    {
        if (to > from)
        {
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<rect x=\"{x}\" y=\"{from}\" width=\"{Math.Max(1, width - 1)}\" height=\"{to - from}\" "
                    + $"fill=\"{colour}\"/>"
            );
        }
    }

    /// <summary>From below; what is less than nothing is not drawn.</summary>
    private static (long Amount, string Colour)[] Parts(Cohort c) =>
        [
            (Math.Max(0, c.Redeemed), "#1565c0"),
            (Math.Max(0, c.Expired), "#c62828"),
            (Math.Max(0, c.Outstanding), "#2e7d32"),
        ];
}
