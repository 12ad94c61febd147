using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.Extensions.Primitives;

namespace LocalPlus.Giftcard.Offline;

/// <summary>What an allowance says, and what is signed: caps in minor units, times in seconds since 1970.</summary>
internal sealed record AllowanceClaims(
    OfflineAllowanceId Jti,
    TerminalId Sub,
    MerchantId Merchant,
    string Currency,
    long CardCap,
    long TotalCap,
    long Iat,
    long Exp
);

/// <summary>A public key as JSON (RFC 7517), for tills that check what they were given.</summary>
internal sealed record PublicJwk(string Kty, string Crv, string X, string Y, string Alg, string Use);

/// <summary>
/// Signs allowances as JWS (ES256), so that a till can check them without asking and nobody can raise a cap on the way
/// back. The key is derived from the pepper: every replica has the same one, and there is no other secret to keep. Of
/// several peppers the first one's signs, and what any of them signed is good.
/// </summary>
internal sealed class AllowanceSigner : IDisposable
{
    private const int ScalarBytes = 32;
    private volatile ECDsa[] keys;
    private readonly string header = Base64Url.EncodeToString("""{"alg":"ES256","typ":"JWT"}"""u8);

    public AllowanceSigner(IConfiguration configuration)
    {
        keys = Read(configuration.Secret(CardSecrets.SecretName));
        ChangeToken.OnChange(
            configuration.GetReloadToken,
            () => keys = Read(configuration.Secret(CardSecrets.SecretName))
        );
    }

    public PublicJwk PublicKey
    {
        get
        {
            var point = keys[0].ExportParameters(includePrivateParameters: false).Q;
            return new(
                "EC",
                "P-256",
                Base64Url.EncodeToString(point.X!),
                Base64Url.EncodeToString(point.Y!),
                "ES256",
                "sig"
            );
        }
    }

    public string Sign(AllowanceClaims claims)
    {
        var text =
            $"{header}.{Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(claims, StrictJson.Options))}";
        var signature = keys[0].SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256);
        return $"{text}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>What an allowance says; null when it is not one of ours.</summary>
    public AllowanceClaims? Verify(string token)
    {
        var parts = token.Split('.');
        if (parts.Length != 3 || parts[0] != header || !Base64Url.IsValid(parts[1]) || !Base64Url.IsValid(parts[2]))
        {
            return null;
        }

        var signature = Base64Url.DecodeFromChars(parts[2]);
        var signed = Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}");
        return Array.Exists(keys, key => key.VerifyData(signed, signature, HashAlgorithmName.SHA256))
            ? JsonSerializer.Deserialize<AllowanceClaims>(Base64Url.DecodeFromChars(parts[1]), StrictJson.Lenient)
            : null;
    }

    public void Dispose() => Array.ForEach(keys, key => key.Dispose());

    private static ECDsa[] Read(string secret) =>
        Array.ConvertAll(
            secret.Split(',', StringSplitOptions.TrimEntries),
            pepper =>
                ECDsa.Create(
                    new ECParameters
                    {
                        Curve = ECCurve.NamedCurves.nistP256,
                        D = Scalar(Encoding.UTF8.GetBytes(pepper)),
                    }
                )
        );

    /// <summary>
    /// A private key of P-256 from the pepper: a number below the curve's order, the next one in the rare other case.
    /// </summary>
    private static byte[] Scalar(byte[] pepper)
    {
        for (byte round = 0; ; round++)
        {
            var scalar = HKDF.DeriveKey(
                HashAlgorithmName.SHA256,
                pepper,
                ScalarBytes,
                info: [.. Encoding.UTF8.GetBytes("offline-allowance"), round]
            );
            // The order begins with eight bytes FFFFFFFF00000000: what begins lower is below it.
            if (scalar.AsSpan(0, 4).IndexOfAnyExcept((byte)0xFF) >= 0 && scalar.AsSpan().ContainsAnyExcept((byte)0))
            {
                return scalar;
            }
        }
    }
}
