using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LocalPlus.Identity.Tests;

/// <summary>What somebody in front of a browser does.</summary>
internal static partial class Browsing
{
    /// <summary>Goes there, signs in as one of the people on the way, and says where that ends.</summary>
    public static async Task<HttpResponseMessage> SignInAsync(this HttpClient browser, string going, string person)
    {
        var asked = await browser.GetAsync(new Uri(going, UriKind.RelativeOrAbsolute));
        var page = await browser.GetStringAsync(asked.Headers.Location);
        var fields = Hidden()
            .Matches(page)
            .ToDictionary(m => m.Groups[1].Value, m => WebUtility.HtmlDecode(m.Groups[2].Value));
        fields["person"] = person;
        var entered = await browser.FormAsync("/sign-in", fields);
        return await browser.GetAsync(entered.Headers.Location);
    }

    public static async Task<HttpResponseMessage> FormAsync(
        this HttpClient browser,
        string path,
        IEnumerable<KeyValuePair<string, string>> fields
    )
    {
        using var form = new FormUrlEncodedContent(fields);
        return await browser.PostAsync(new Uri(path, UriKind.Relative), form);
    }

    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage answer) =>
        JsonElement.Parse(await answer.Content.ReadAsStringAsync());

    /// <summary>The claims of a token that nobody verifies here.</summary>
    public static JsonElement Claims(this JsonElement answer, string token) =>
        JsonElement.Parse(
            System.Buffers.Text.Base64Url.DecodeFromChars(answer.GetProperty(token).GetString()!.Split('.')[1])
        );

    [GeneratedRegex("""<input type="hidden" name="([^"]*)" value="([^"]*)">""")]
    private static partial Regex Hidden();
}
