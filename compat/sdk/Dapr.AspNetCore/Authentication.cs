using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Dapr.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dapr.AspNetCore
{
    /// <summary>The token that the sidecar shows.</summary>
    public class DaprAuthenticationOptions : AuthenticationSchemeOptions
    {
        public string? Token { get; set; }
    }

    /// <summary>Accepts calls that carry the application's token, as the sidecar's do.</summary>
    internal sealed class DaprAuthenticationHandler(
        IOptionsMonitor<DaprAuthenticationOptions> options, ILoggerFactory logger, UrlEncoder encoder,
        IConfiguration configuration)
        : AuthenticationHandler<DaprAuthenticationOptions>(options, logger, encoder)
    {
        public const string SchemeName = "Dapr";
        private const string TokenHeader = "Dapr-Api-Token";

        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Authenticate());

        private AuthenticateResult Authenticate()
        {
            if (!Request.Headers.TryGetValue(TokenHeader, out var shown))
            {
                return AuthenticateResult.NoResult();
            }

            var expected = Options.Token ?? DaprDefaults.GetDefaultAppApiToken(configuration);
            if (string.IsNullOrWhiteSpace(expected))
            {
                return AuthenticateResult.Fail("App API Token not configured.");
            }

            if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(shown.ToString()), Encoding.UTF8.GetBytes(expected)))
            {
                return AuthenticateResult.Fail("Not authenticated.");
            }

            var identity = new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, SchemeName)], SchemeName);
            return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName));
        }
    }
}

namespace Microsoft.AspNetCore.Authentication
{
    /// <summary>Adds the scheme that knows the sidecar.</summary>
    public static class DaprAuthenticationBuilderExtensions
    {
        public static AuthenticationBuilder AddDapr(this AuthenticationBuilder builder) => builder.AddDapr(_ => { });

        /// <summary>The token is APP_API_TOKEN unless the options say another.</summary>
        public static AuthenticationBuilder AddDapr(
            this AuthenticationBuilder builder, Action<DaprAuthenticationOptions> configureOptions) =>
            builder.AddScheme<DaprAuthenticationOptions, DaprAuthenticationHandler>(
                DaprAuthenticationHandler.SchemeName, configureOptions);
    }
}

namespace Microsoft.AspNetCore.Authorization
{
    /// <summary>Adds the policy that only the sidecar fulfils.</summary>
    public static class DaprAuthorizationOptionsExtensions
    {
        public static void AddDapr(this AuthorizationOptions options, string name = DaprAuthenticationHandler.SchemeName) =>
            options.AddPolicy(name, policy => policy
                .AddAuthenticationSchemes(DaprAuthenticationHandler.SchemeName)
                .RequireAuthenticatedUser());
    }
}
