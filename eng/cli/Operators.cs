using System.Buffers.Text;
using System.Security.Cryptography;
using LocalPlus.Client.Profiles;

namespace LocalPlus.Cli;

/// <summary>
/// The local stand-in for the operators' identity provider: an ES256 key, its JWKS for the services, and tokens of an
/// hour.
/// </summary>
internal static class Operators
{
    private const string KeyFile = "operator-key.pem";
    public const string Issuer = OperatorToken.Issuer;
    public const string Audience = OperatorToken.Audience;

    /// <summary>What the local provider signs with, too.</summary>
    public static string KeyPath(Checkout checkout) => Path.Combine(checkout.State, KeyFile);

    /// <summary>Makes the key once and writes the JWKS that the services read.</summary>
    public static void EnsureKey(Checkout checkout)
    {
        var path = KeyPath(checkout);
        if (!File.Exists(path))
        {
            using var fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            checkout.WriteText(KeyFile, fresh.ExportPkcs8PrivateKeyPem() + "\n");
        }

        using var key = OperatorToken.Load(path);
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var jwk = new
        {
            kty = "EC",
            crv = "P-256",
            use = "sig",
            alg = "ES256",
            kid = OperatorToken.KeyId(key),
            x = Base64Url.EncodeToString(point.X!),
            y = Base64Url.EncodeToString(point.Y!),
        };
        checkout.Write("jwks.json", new { keys = new[] { jwk } });
    }

    public static string Mint(Checkout checkout, string role, string subject) =>
        OperatorToken.Mint(KeyPath(checkout), role, subject);
}
