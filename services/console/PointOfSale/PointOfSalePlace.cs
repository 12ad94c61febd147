namespace LocalPlus.Console.PointOfSale;

/// <summary>Where this browser stands: chosen once, kept in a cookie for a year; it says where, not who.</summary>
internal sealed record PointOfSalePlace(string LocationId, string TerminalId, string Name)
{
    private const string Cookie = "localplus-till";
    private const char Separator = '|';

    /// <summary>As the value of a choice.</summary>
    public string Value => string.Join(Separator, LocationId, TerminalId, Name);

    public static PointOfSalePlace? Of(HttpContext? http) => Parse(http?.Request.Cookies[Cookie]);

    public static PointOfSalePlace? Parse(string? value) =>
        value?.Split(Separator, 3) is [{ Length: > 0 } location, { Length: > 0 } terminal, var name]
            ? new(location, terminal, name)
            : null;

    public void Keep(HttpContext http, ConsoleSettings settings) =>
        http.Response.Cookies.Append(
            Cookie,
            Value,
            new CookieOptions
            {
                HttpOnly = true,
                IsEssential = true,
                MaxAge = TimeSpan.FromDays(365),
                Path = PointOfSaleFeature.Root,
                SameSite = SameSiteMode.Strict,
                Secure = settings.IsSecure,
            }
        );
}
