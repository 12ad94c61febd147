using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace LocalPlus.Hosting;

/// <summary>
/// Who makes the tokens of operators and of merchants' people, and whom they are for. In development that may be the
/// command line tool.
/// </summary>
/// <param name="Jwks">Where its keys are: a file or an https address; null: nobody is an operator.</param>
public sealed record OperatorIssuer(string Issuer, string Audience, string? Jwks)
{
    public const string AudienceVariable = "LP_OIDC_AUDIENCE";
    public const string IssuerVariable = "LP_OIDC_ISSUER";
    public const string JwksVariable = "LP_JWKS";
    private const string DevelopmentAudience = "localplus";
    private const string DevelopmentIssuer = "https://localplus.local/";

    /// <summary>
    /// Throws where one of them is missing in production: what development falls back to would let strangers in.
    /// </summary>
    public static OperatorIssuer From(IConfiguration configuration, IHostEnvironment environment)
    {
        var (issuer, audience, jwks) = (
            configuration[IssuerVariable],
            configuration[AudienceVariable],
            configuration[JwksVariable]
        );
        if (environment.IsProduction())
        {
            Require(
                issuer?.StartsWith("https://", StringComparison.Ordinal) is true,
                IssuerVariable,
                "an https address"
            );
            Require(!string.IsNullOrWhiteSpace(audience), AudienceVariable, "the audience of operators' tokens");
            Require(
                !string.IsNullOrWhiteSpace(jwks),
                JwksVariable,
                "the https address, or the file, of the issuer's keys"
            );
        }

        return new OperatorIssuer(
            string.IsNullOrEmpty(issuer) ? DevelopmentIssuer : issuer,
            string.IsNullOrEmpty(audience) ? DevelopmentAudience : audience,
            string.IsNullOrEmpty(jwks) ? null : jwks
        );
    }

    private static void Require(bool isSet, string variable, string what)
    {
        if (!isSet)
        {
            throw new InvalidOperationException(
                $"{variable} is not set to {what}: in production operators come from a provider that is named."
            );
        }
    }
}
