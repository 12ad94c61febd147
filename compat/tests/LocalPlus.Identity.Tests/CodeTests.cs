using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace LocalPlus.Identity.Tests;

/// <summary>The authorisation code with PKCE, as the console asks for it.</summary>
public sealed class CodeTests(ProviderFixture provider) : IClassFixture<ProviderFixture>
{
    private const string Verifier = "a-verifier-of-more-than-forty-three-characters-0123456789";
    private const string Redirect = "http://shop.example/console/signed-in";

    [Fact]
    public async Task Somebody_signs_in_and_the_console_gets_tokens_that_say_who_and_what_for()
    {
        using var browser = provider.Browser();
        var tokens = await (await ExchangeAsync(browser, await CodeAsync(browser, "otto"), Verifier)).JsonAsync();

        var access = tokens.Claims("access_token");
        Assert.Equal("https://localplus.local/", access.GetProperty("iss").GetString());
        Assert.Equal("localplus", access.GetProperty("aud").GetString());
        Assert.Equal("otto", access.GetProperty("sub").GetString());
        Assert.Equal("operator", access.GetProperty("role").GetString());
        Assert.True(access.GetProperty("auth_time").GetInt64() > 0);
        Assert.Equal("Otto Operator", tokens.Claims("id_token").GetProperty("name").GetString());
    }

    [Fact]
    public async Task A_merchants_people_have_no_role_of_the_platform()
    {
        using var browser = provider.Browser();
        var tokens = await (await ExchangeAsync(browser, await CodeAsync(browser, "carl"), Verifier)).JsonAsync();

        Assert.False(tokens.Claims("access_token").TryGetProperty("role", out _));
    }

    [Fact]
    public async Task A_code_is_worth_nothing_to_who_did_not_ask_for_it()
    {
        using var browser = provider.Browser();
        var code = await CodeAsync(browser, "otto");

        var stolen = await ExchangeAsync(browser, code, Verifier + "-guessed");

        Assert.Equal(HttpStatusCode.BadRequest, stolen.StatusCode);
        Assert.Equal("invalid_grant", (await stolen.JsonAsync()).GetProperty("error").GetString());
    }

    [Fact]
    public async Task A_code_is_good_once()
    {
        using var browser = provider.Browser();
        var code = await CodeAsync(browser, "otto");

        Assert.Equal(HttpStatusCode.OK, (await ExchangeAsync(browser, code, Verifier)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await ExchangeAsync(browser, code, Verifier)).StatusCode);
    }

    [Fact]
    public async Task Nobody_is_sent_to_an_address_that_is_not_the_consoles()
    {
        using var browser = provider.Browser();

        var answer = await browser.GetAsync(
            new Uri(Asking().Replace("shop.example", "thief.example", StringComparison.Ordinal), UriKind.Relative)
        );

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Null(answer.Headers.Location);
    }

    [Theory]
    [InlineData("&code_challenge_method=plain")]
    [InlineData("")]
    public async Task Without_a_hashed_challenge_there_is_no_code(string method)
    {
        using var browser = provider.Browser();

        var answer = await browser.GetAsync(new Uri($"{Asking(challenge: "")}{method}", UriKind.Relative));

        Assert.DoesNotContain("code=", answer.Headers.Location?.Query ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("//thief.example/")]
    [InlineData("/\\thief.example/")]
    [InlineData("https://thief.example/")]
    public async Task Signing_in_leads_nowhere_else(string back)
    {
        using var browser = provider.Browser();
        var asked = $"/sign-in?back={Uri.EscapeDataString(back)}";
        var page = await browser.GetStringAsync(new Uri(asked, UriKind.Relative));
        var token = page.Split("__RequestVerificationToken\" value=\"")[1].Split('"')[0];

        var entered = await browser.FormAsync(
            "/sign-in",
            [new("person", "otto"), new("back", back), new("__RequestVerificationToken", token)]
        );

        Assert.Equal("/done", entered.Headers.Location?.OriginalString);
    }

    [Fact]
    public async Task Who_signed_in_long_ago_is_asked_again_when_the_console_wants_them_fresh()
    {
        using var browser = provider.Browser();
        await CodeAsync(browser, "ada");

        var again = await browser.GetAsync(new Uri($"{Asking()}&max_age=0", UriKind.Relative));

        Assert.StartsWith("/sign-in", again.Headers.Location!.OriginalString, StringComparison.Ordinal);
    }

    private async Task<string> CodeAsync(HttpClient browser, string person)
    {
        var back = await browser.SignInAsync(Asking(), person);
        Assert.StartsWith(Redirect, back.Headers.Location!.OriginalString, StringComparison.Ordinal);
        return System.Web.HttpUtility.ParseQueryString(back.Headers.Location.Query)["code"]!;
    }

    private static Task<HttpResponseMessage> ExchangeAsync(HttpClient client, string code, string verifier) =>
        client.FormAsync(
            "/connect/token",
            [
                new("grant_type", "authorization_code"),
                new("client_id", "console"),
                new("redirect_uri", Redirect),
                new("code", code),
                new("code_verifier", verifier),
            ]
        );

    private static string Asking(string? challenge = null)
    {
        var hashed = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));
        return "/connect/authorize?client_id=console&response_type=code&scope=openid%20profile"
            + $"&redirect_uri={Uri.EscapeDataString(Redirect)}&state=s"
            + (challenge ?? $"&code_challenge={hashed}&code_challenge_method=S256");
    }
}
