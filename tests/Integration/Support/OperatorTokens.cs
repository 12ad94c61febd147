using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace LocalPlus.Tests.Integration.Support;

/// <summary>An identity provider for operators: a key of its own in a JWKS file, and tokens signed with it.</summary>
public sealed class OperatorTokens : IDisposable
{
    private const string KeyId = "test";
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public OperatorTokens()
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var jwk = new
        {
            kty = "EC",
            crv = "P-256",
            kid = KeyId,
            x = Base64UrlEncoder.Encode(point.X!),
            y = Base64UrlEncoder.Encode(point.Y!),
        };
        JwksPath = Path.Combine(Path.GetTempPath(), $"jwks-{Guid.CreateVersion7():N}.json");
        File.WriteAllText(JwksPath, JsonSerializer.Serialize(new { keys = new[] { jwk } }));
    }

    /// <summary>The provider that services trust in development.</summary>
    public const string Issuer = "https://localplus.local/";

    public string JwksPath { get; }

    /// <param name="at">When its owner signed in; a moment ago if nothing is said.</param>
    public string Mint(string role, string subject = "olga@localplus.local", DateTimeOffset? at = null) =>
        new JsonWebTokenHandler().CreateToken(
            new SecurityTokenDescriptor
            {
                Issuer = Issuer,
                Audience = "localplus",
                Subject = new ClaimsIdentity([
                    new Claim("sub", subject),
                    new Claim("role", role),
                    new Claim(
                        "auth_time",
                        $"{(at ?? TimeProvider.System.GetUtcNow()).ToUnixTimeSeconds()}",
                        ClaimValueTypes.Integer64
                    ),
                ]),
                SigningCredentials = new SigningCredentials(
                    new ECDsaSecurityKey(key) { KeyId = KeyId },
                    SecurityAlgorithms.EcdsaSha256
                ),
            }
        );

    /// <summary>A token that says just this, of the provider and for the audience that are named.</summary>
    public string Mint(string issuer, string audience, Dictionary<string, object> claims) =>
        new JsonWebTokenHandler().CreateToken(
            new SecurityTokenDescriptor
            {
                Issuer = issuer,
                Audience = audience,
                Claims = claims,
                SigningCredentials = new SigningCredentials(
                    new ECDsaSecurityKey(key) { KeyId = KeyId },
                    SecurityAlgorithms.EcdsaSha256
                ),
            }
        );

    public void Dispose()
    {
        key.Dispose();
        File.Delete(JwksPath);
    }
}
