using System.Security.Claims;
using System.Text.Encodings.Web;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LocalPlus.Hosting;

/// <summary>
/// Authorization: Bearer and the OIDC token of one of a merchant's people. The provider says who it is, the merchant
/// service whose team that person is in and what it may do there; the header LocalPlus-Merchant names the merchant of
/// whoever is in several teams.
/// </summary>
internal sealed class PersonAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logger,
    UrlEncoder encoder,
    IApiKeyVerifier verifier,
    OperatorIssuer issuer
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public new const string Scheme = "person-token";
    private const string MerchantHeader = "LocalPlus-Merchant";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (
            Context.Items.ContainsKey(typeof(MerchantIdentity))
            || await Context.AuthenticateAsync(Authentication.OperatorScheme)
                is not { Succeeded: true, Principal: { } token }
            || token.FindFirstValue("sub") is not { Length: > 0 } subject
        )
        {
            return AuthenticateResult.NoResult();
        }

        var named = Request.Headers[MerchantHeader].ToString();
        if (named.Length > 0 && !MerchantId.TryParse(named, null, out _))
        {
            return AuthenticateResult.Fail("The header does not name a merchant.");
        }

        var credential = new PersonCredential(issuer.Issuer, subject, named).ToString();
        var from = ClientAddress.Of(Context);
        if (await verifier.VerifyAsync(credential, from, Context.RequestAborted) is not { } merchant)
        {
            return AuthenticateResult.Fail("The person is in no such team.");
        }

        Context.Items[typeof(MerchantIdentity)] = merchant with { From = from };
        var claims = merchant
            .Scopes.Select(scope => new Claim(Authentication.ScopeClaim, scope))
            .Append(new Claim("sub", subject));
        var principal = new ClaimsPrincipal(new ClaimsIdentity(claims, Scheme));
        return AuthenticateResult.Success(new AuthenticationTicket(principal, Scheme));
    }
}

/// <summary>
/// A person whose token was verified, as services ask merchant about it where they ask about API keys: no key looks
/// like this, and nobody but a service can ask.
/// </summary>
/// <param name="Merchant">As the person named it; empty: the only one.</param>
public sealed record PersonCredential(string Issuer, string Subject, string Merchant)
{
    private const string Prefix = "person";
    private const char Separator = '\n';

    public static PersonCredential? Parse(string text) =>
        text.Split(Separator) is [Prefix, var issuer, var subject, var merchant]
            ? new(issuer, subject, merchant)
            : null;

    public override string ToString() => string.Join(Separator, Prefix, Issuer, Subject, Merchant);
}
