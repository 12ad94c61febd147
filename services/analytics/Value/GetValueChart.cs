using System.Globalization;
using System.Text;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Analytics.Value;

/// <summary>
/// GET /v1/reports/value/chart?from=&amp;to=&amp;currency=&amp;zone=: what is on a merchant's cards at the end of each
/// day (line), and what came and went within it (bars up and down), as an SVG picture. Refusals: invalid_request.
/// </summary>
internal static class GetValueChart
{
    private const string SvgType = "image/svg+xml";

    public static IEndpointRouteBuilder MapGetValueChart(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/reports/value/chart", HandleAsync)
            .RequireScope("reports:read")
            .WithName(nameof(GetValueChart))
            .Produces<string>(StatusCodes.Status200OK, SvgType);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        DateOnly from,
        DateOnly to,
        string currency,
        Database database,
        CancellationToken cancel,
        string? zone = null
    )
    {
        new FieldChecks().Require(Currency.TryParse(currency, out var known), "currency", "unknown").ThrowIfAny();
        var range = ValueRange.Of(from, to, zone);
        var days = await ValueReader.ReadAsync(database, http.GetMerchant().MerchantId, range, cancel);
        return Results.Text(
            ValueChart.Draw([.. days.Where(d => d.Currency == currency)], known),
            SvgType,
            Encoding.UTF8
        );
    }
}

/// <summary>Draws days. Pure; every text in it is a date, a figure or ours.</summary>
internal static class ValueChart
{
    private const int Width = 720;
    private const int Height = 240;
    private const int Margin = 40;

    public static string Draw(IReadOnlyList<ValueDay> days, Currency currency)
    {
        var svg = new StringBuilder();
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" role=\"img\" "
                + $"font-family=\"sans-serif\" font-size=\"11\">"
        );
        if (days.Count == 0)
        {
            return svg.Append("<title>No value on cards</title></svg>").ToString();
        }

        svg.Append(
            CultureInfo.InvariantCulture,
            $"<title>Value on cards in {currency.Code}, {days[0].Date:yyyy-MM-dd} to {days[^1].Date:yyyy-MM-dd}</title>"
        );
        var top = Math.Max(1, days.Max(d => Math.Max(d.Closing, In(d))));
        var bottom = Math.Min(0, days.Min(d => Math.Min(d.Closing, Out(d))));
        var step = (Width - 2 * Margin) / (long)days.Count is > 0 and var wide ? wide : 1;
        var line = new StringBuilder();
        foreach (var (n, day) in days.Index())
        {
            var x = Margin + (Width - 2 * Margin) * (long)n / days.Count;
            Bar(svg, x, step, Y(In(day)), Y(0), "#2e7d32");
            Bar(svg, x, step, Y(0), Y(Out(day)), "#c62828");
            line.Append(CultureInfo.InvariantCulture, $"{x + step / 2},{Y(day.Closing)} ");
        }

        return svg.Append(
                CultureInfo.InvariantCulture,
                $"<polyline fill=\"none\" stroke=\"#1565c0\" stroke-width=\"2\" "
                    + $"points=\"{line.ToString().TrimEnd()}\"/>"
            )
            .Append(CultureInfo.InvariantCulture, $"<path d=\"M{Margin} {Y(0)}H{Width - Margin}\" stroke=\"#888\"/>")
            .Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{Margin}\" y=\"14\">{Amounts.Text(days[^1].Closing, currency)}</text>"
            )
            .Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{Margin}\" y=\"{Height - 6}\">{days[0].Date:yyyy-MM-dd}</text>"
            )
            .Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{Width - Margin}\" y=\"{Height - 6}\" text-anchor=\"end\">"
                    + $"{days[^1].Date:yyyy-MM-dd}</text></svg>"
            )
            .ToString();

        long Y(long amount) =>
            (long)(Margin + (Int128)(Height - 2 * Margin) * ((Int128)top - amount) / ((Int128)top - bottom));
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

    private static long In(ValueDay d) => Parts(d).Where(amount => amount > 0).Sum();

    private static long Out(ValueDay d) => Parts(d).Where(amount => amount < 0).Sum();

    private static long[] Parts(ValueDay d) =>
        [d.Sold, d.Loaded, d.Imported, d.Redeemed, d.Refunded, d.Expired, d.Other];
}
