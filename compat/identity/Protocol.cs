using System.Security.Claims;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace LocalPlus.Identity;

/// <summary>
/// The endpoints of OpenID Connect at which somebody is in front of the browser; OpenIddict answers the others itself.
/// </summary>
internal static class Protocol
{
    private const string Scheme = OpenIddictServerAspNetCoreDefaults.AuthenticationScheme;

    /// <summary>
    /// Who confirms a code has signed in a moment ago: a device code has no max_age, and who signs in at a terminal
    /// again does so to be taken for somebody who is there.
    /// </summary>
    private static readonly TimeSpan AgeOfConfirmation = TimeSpan.FromMinutes(2);
    private static readonly string[] Verbs = [HttpMethods.Get, HttpMethods.Post];

    public static void MapProtocol(this WebApplication app)
    {
        app.MapMethods("/connect/authorize", Verbs, AuthorizeAsync).DisableAntiforgery();
        // As delegates: a request delegate's result would be thrown away.
        app.MapMethods("/connect/logout", Verbs, (Delegate)LogoutAsync).DisableAntiforgery();
        app.MapMethods("/connect/verify", Verbs, (Delegate)VerifyAsync).DisableAntiforgery();
    }

    /// <summary>Who has signed in, and when; null asks them to.</summary>
    private static async Task<(Person Who, DateTimeOffset At)?> WhoAsync(HttpContext http)
    {
        var session = await http.AuthenticateAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return
            session.Succeeded
            && People.Find(session.Principal.FindFirstValue(Claims.Subject)) is { } person
            && session.Properties.IssuedUtc is { } at
            ? (person, at)
            : null;
    }

    private static async Task<IResult> AuthorizeAsync(HttpContext http, TimeProvider time)
    {
        var request =
            http.GetOpenIddictServerRequest() ?? throw new InvalidOperationException("OpenIddict took no request.");
        if (await WhoAsync(http) is not { } known || IsTooOld(request, known.At, time))
        {
            return request.HasPromptValue(PromptValues.None)
                ? Results.Forbid(
                    new(
                        new Dictionary<string, string?>
                        {
                            [OpenIddictServerAspNetCoreConstants.Properties.Error] = Errors.LoginRequired,
                        }
                    ),
                    [Scheme]
                )
                : SignIn.Ask(http.Request.Path + http.Request.QueryString);
        }

        return Results.SignIn(People.Principal(known.Who, known.At, request.GetScopes()), null, Scheme);
    }

    /// <summary>
    /// A caller that is about to do something dangerous asks for somebody who signed in a moment ago.
    /// </summary>
    private static bool IsTooOld(OpenIddictRequest request, DateTimeOffset at, TimeProvider time) =>
        request.MaxAge is { } seconds && time.GetUtcNow() - at > TimeSpan.FromSeconds(seconds);

    private static async Task<IResult> LogoutAsync(HttpContext http)
    {
        await http.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return Results.SignOut(new AuthenticationProperties { RedirectUri = "/" }, [Scheme]);
    }

    /// <summary>The page at which the code that a terminal shows is confirmed.</summary>
    private static async Task<IResult> VerifyAsync(HttpContext http, TimeProvider time)
    {
        if (await WhoAsync(http) is not { } known || time.GetUtcNow() - known.At > AgeOfConfirmation)
        {
            return SignIn.Ask(http.Request.Path + http.Request.QueryString);
        }

        var asked = await http.AuthenticateAsync(Scheme);
        var code = asked.Properties?.GetTokenValue(OpenIddictServerAspNetCoreConstants.Tokens.UserCode);
        if (!asked.Succeeded || string.IsNullOrEmpty(asked.Principal.GetClaim(Claims.ClientId)))
        {
            return SignIn.AskForCode(isWrong: code is not null);
        }

        if (HttpMethods.IsGet(http.Request.Method))
        {
            return SignIn.Confirm(code!, known.Who);
        }

        return Results.SignIn(
            People.Principal(known.Who, known.At, asked.Principal.GetScopes()),
            new AuthenticationProperties { RedirectUri = "/done" },
            Scheme
        );
    }

    /// <summary>As the cookie carries it.</summary>
    public static ClaimsPrincipal Session(Person person) =>
        new(
            new ClaimsIdentity(
                [new Claim(Claims.Subject, person.Subject)],
                CookieAuthenticationDefaults.AuthenticationScheme
            )
        );
}
