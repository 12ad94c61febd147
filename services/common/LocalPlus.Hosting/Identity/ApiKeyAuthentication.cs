using System.Security.Claims;
using System.Text.Encodings.Web;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LocalPlus.Hosting;

/// <summary>
/// Authorization: Bearer lp_test_… or lp_live_…; what is behind the key decides, never the key's text.
/// </summary>
internal sealed class ApiKeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logger,
    UrlEncoder encoder,
    IApiKeyVerifier verifier,
    KnownCallers callers
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public new const string Scheme = "api-key";
    private const string Bearer = "Bearer ";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (
            !header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            || !(
                header.AsSpan(Bearer.Length).StartsWith(ApiKeyForm.TestPrefix)
                || header.AsSpan(Bearer.Length).StartsWith(ApiKeyForm.LivePrefix)
            )
        )
        {
            return AuthenticateResult.NoResult();
        }

        var key = header[Bearer.Length..];
        var from = ClientAddress.Of(Context);
        if (
            !ApiKeyForm.TryParse(key, out _, out _)
            || await verifier.VerifyAsync(key, from, Context.RequestAborted) is not { } merchant
        )
        {
            return AuthenticateResult.Fail("The API key is not valid.");
        }

        callers.Remember(key, merchant.MerchantId);
        Context.Items[typeof(MerchantIdentity)] = merchant with { From = from };
        var claims = merchant
            .Scopes.Select(scope => new Claim(Authentication.ScopeClaim, scope))
            .Append(new Claim("sub", Ids.Format(merchant.KeyId)));
        var principal = new ClaimsPrincipal(new ClaimsIdentity(claims, Scheme));
        return AuthenticateResult.Success(new AuthenticationTicket(principal, Scheme));
    }
}
