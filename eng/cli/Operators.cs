using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace LocalPlus.Cli;

/// <summary>
/// The local stand-in for the operators' identity provider: an ES256 key, its JWKS for the services, and tokens of an
/// hour.
/// </summary>
internal static class Operators
{
    public static readonly string[] Roles = ["viewer", "operator", "admin"];

    private const string KeyFile = "operator-key.pem";
    public const string Issuer = "https://localplus.local/";
    public const string Audience = "localplus";
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

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

        using var key = Load(checkout);
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var jwk = new
        {
            kty = "EC",
            crv = "P-256",
            use = "sig",
            alg = "ES256",
            kid = KeyId(key),
            x = Base64Url.EncodeToString(point.X!),
            y = Base64Url.EncodeToString(point.Y!),
        };
        checkout.Write("jwks.json", new { keys = new[] { jwk } });
    }

    public static string Mint(Checkout checkout, string role, string subject)
    {
        using var key = Load(checkout);
        var now = DateTimeOffset.UtcNow;
        var head = new
        {
            alg = "ES256",
            typ = "JWT",
            kid = KeyId(key),
        };
        var claims = new
        {
            iss = Issuer,
            aud = Audience,
            sub = subject,
            role,
            roles = new[] { role },
            // Whoever has this machine's key is in front of it.
            auth_time = now.ToUnixTimeSeconds(),
            iat = now.ToUnixTimeSeconds(),
            nbf = now.ToUnixTimeSeconds(),
            exp = now.Add(Lifetime).ToUnixTimeSeconds(),
            jti = Guid.NewGuid().ToString("N"),
        };
        var signed = $"{Part(head)}.{Part(claims)}";
        var signature = key.SignData(System.Text.Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Part<T>(T value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));

    private static string KeyId(ECDsa key) =>
        Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))[..16];

    private static ECDsa Load(Checkout checkout)
    {
        var path = KeyPath(checkout);
        if (!File.Exists(path))
        {
            throw new CliFailure(ExitCodes.NotFound, "this checkout has no operators' key yet", "./localplus up");
        }

        var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(path));
        return key;
    }
}
