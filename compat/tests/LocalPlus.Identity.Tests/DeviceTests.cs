using System.Net;

namespace LocalPlus.Identity.Tests;

/// <summary>The device code, as a terminal asks for it.</summary>
public sealed class DeviceTests(ProviderFixture provider) : IClassFixture<ProviderFixture>
{
    [Fact]
    public async Task A_terminal_is_signed_in_once_somebody_has_confirmed_its_code()
    {
        using var terminal = provider.Browser();
        var asked = await (await AskAsync(terminal)).JsonAsync();
        var device = asked.GetProperty("device_code").GetString()!;

        var early = await PollAsync(terminal, device);
        Assert.Equal("authorization_pending", (await early.JsonAsync()).GetProperty("error").GetString());

        using var browser = provider.Browser();
        var where = asked.GetProperty("verification_uri_complete").GetString()!;
        var page = await browser.SignInAsync(where, "ada");
        Assert.Contains(
            asked.GetProperty("user_code").GetString()!,
            await page.Content.ReadAsStringAsync(),
            StringComparison.Ordinal
        );
        await browser.FormAsync("/connect/verify", [new("user_code", asked.GetProperty("user_code").GetString()!)]);

        var tokens = await (await PollAsync(terminal, device)).JsonAsync();
        Assert.Equal("admin", tokens.Claims("access_token").GetProperty("role").GetString());
    }

    [Fact]
    public async Task Who_signed_in_long_ago_is_asked_again_before_a_code_is_confirmed()
    {
        using var terminal = provider.Browser();
        var asked = await (await AskAsync(terminal)).JsonAsync();
        var where = new Uri(asked.GetProperty("verification_uri_complete").GetString()!);
        using var browser = provider.Browser();
        var page = await browser.SignInAsync(where.PathAndQuery, "ada");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);

        provider.Time.By = TimeSpan.FromMinutes(3);
        var again = await browser.GetAsync(new Uri(where.PathAndQuery, UriKind.Relative));
        provider.Time.By = TimeSpan.Zero;

        Assert.StartsWith("/sign-in", again.Headers.Location!.OriginalString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_code_that_nobody_shows_signs_nobody_in()
    {
        using var browser = provider.Browser();

        var page = await browser.SignInAsync("/connect/verify?user_code=0000-0000-0000", "ada");

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("no such code", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static Task<HttpResponseMessage> AskAsync(HttpClient terminal) =>
        terminal.FormAsync("/connect/device", [new("client_id", "cli"), new("scope", "openid profile offline_access")]);

    private static Task<HttpResponseMessage> PollAsync(HttpClient terminal, string device) =>
        terminal.FormAsync(
            "/connect/token",
            [
                new("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
                new("client_id", "cli"),
                new("device_code", device),
            ]
        );
}
