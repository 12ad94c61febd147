using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Console.Layout;

/// <summary>
/// The words of a page in the reader's language: English as it is written there, French out of words.fr.json. A text
/// without a French one is shown in English; a test keeps that from happening.
/// </summary>
internal sealed class Words(IHttpContextAccessor context)
{
    public const string English = "en";
    public const string French = "fr";
    private const string Cookie = "localplus-language";

    private static readonly FrozenDictionary<string, string> InFrench = JsonSerializer
        .Deserialize<Dictionary<string, string>>(StaticFiles.Read("words.fr.json"))!
        .ToFrozenDictionary(StringComparer.Ordinal);

    public string Language { get; } = Choose(context.HttpContext?.Request);

    public string this[string english] => Language == French ? InFrench.GetValueOrDefault(english, english) : english;

    public string Format(string english, params object?[] values) =>
        string.Format(CultureInfo.InvariantCulture, this[english], values);

    /// <summary>An instant to the second, in UTC: what logs and other people's screens say, too.</summary>
    public string Time(DateTimeOffset at) =>
        Format("{0} UTC", at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture));

    /// <summary>How long ago, in the largest unit that says something.</summary>
    public string Ago(DateTimeOffset at, DateTimeOffset now)
    {
        var span = now - at;
        return span.TotalSeconds < 60 ? Format("{0} s", Math.Max(0, (int)span.TotalSeconds))
            : span.TotalMinutes < 60 ? Format("{0} min", (int)span.TotalMinutes)
            : span.TotalHours < 48 ? Format("{0} h", (int)span.TotalHours)
            : Format("{0} days", (int)span.TotalDays);
    }

    public static void MapLanguage(RouteGroupBuilder pages) =>
        pages.MapPost(
            "/language",
            ([FromForm] string language, [FromForm] string back, HttpContext http, ConsoleSettings settings) =>
            {
                http.Response.Cookies.Append(
                    Cookie,
                    language == French ? French : English,
                    new CookieOptions
                    {
                        HttpOnly = true,
                        IsEssential = true,
                        MaxAge = TimeSpan.FromDays(365),
                        Path = ConsoleService.Root,
                        SameSite = SameSiteMode.Lax,
                        Secure = settings.IsSecure,
                    }
                );
                return Results.LocalRedirect(ConsoleService.IsOwn(back) ? back : ConsoleService.Root);
            }
        );

    private static string Choose(HttpRequest? request) =>
        request?.Cookies[Cookie] switch
        {
            French => French,
            English => English,
            _ => request
                ?.GetTypedHeaders()
                .AcceptLanguage.MaxBy(l => l.Quality ?? 1)
                ?.Value.Value?.StartsWith(French, StringComparison.OrdinalIgnoreCase)
                is true
                ? French
                : English,
        };
}
