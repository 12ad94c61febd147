using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace LocalPlus.Hosting;

/// <summary>
/// Signs checkpoints: ECDSA on P-256 with SHA-256, the signature in ASN.1 DER; a key's id in a note is the beginning of
/// the SHA-256 of the public key in SPKI form. The first key of the secret signs, the others are those of before, by
/// which older notes are still known. Keys that are changed in the store are taken while the service runs.
/// </summary>
public sealed class CheckpointKeys
{
    /// <summary>The private keys' name in the secret store: PKCS #8 in base64, separated by commas.</summary>
    public const string SecretName = "checkpoint_key";

    /// <summary>The first one signs. Those that are replaced may be in use still: nobody disposes of them.</summary>
    private volatile ECDsa[] keys;

    public CheckpointKeys(IConfiguration configuration)
    {
        keys = Read(configuration.Secret(SecretName));
        ChangeToken.OnChange(configuration.GetReloadToken, () => keys = Read(configuration.Secret(SecretName)));
    }

    /// <summary>The note that says: the log of this name has this size and this root.</summary>
    public string Sign(string origin, long size, byte[] root)
    {
        var key = keys[0];
        var text = string.Create(CultureInfo.InvariantCulture, $"{origin}\n{size}\n{Convert.ToBase64String(root)}\n");
        var signature = key.SignData(
            Encoding.UTF8.GetBytes(text),
            HashAlgorithmName.SHA256,
            DSASignatureFormat.Rfc3279DerSequence
        );
        return $"{text}\n— {origin} {Convert.ToBase64String([.. Checkpoint.KeyIdOf(key), .. signature])}\n";
    }

    /// <summary>Whether one of these keys signed the note.</summary>
    public bool HaveSigned(Checkpoint checkpoint) => Array.Exists(keys, checkpoint.IsSignedBy);

    /// <summary>The public keys, for whoever verifies.</summary>
    /// <param name="kind">The view's <c>object</c>.</param>
    /// <param name="origin">The log that is signed with them.</param>
    public CheckpointKeyView View(string kind, string origin)
    {
        PublicKeyView[] views = [.. keys.Select(ViewOf)];
        return new CheckpointKeyView(kind, origin, views[0].Jwk, views[0].Pem, views[1..]);
    }

    private static PublicKeyView ViewOf(ECDsa key)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var (x, y) = (Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
        // RFC 7638: the members in this order, no white space.
        var thumbprint = SHA256.HashData(
            Encoding.ASCII.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}""")
        );
        var jwk = new JwkView("EC", "P-256", x, y, "sig", "ES256", Base64Url.EncodeToString(thumbprint));
        return new PublicKeyView(jwk, key.ExportSubjectPublicKeyInfoPem());
    }

    private static ECDsa[] Read(string secret) =>
        [.. secret.Split(',', StringSplitOptions.TrimEntries).Select(ReadOne)];

    private static ECDsa ReadOne(string text)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportPkcs8PrivateKey(Convert.FromBase64String(text), out _);
            return key;
        }
        catch (Exception notAKey) when (notAKey is FormatException or CryptographicException)
        {
            key.Dispose();
            throw new InvalidOperationException(
                $"The secret {SecretName} reads PKCS #8 in base64, of P-256; several are separated by commas.",
                notAKey
            );
        }
    }
}

/// <summary>The public keys that sign a log's checkpoints.</summary>
/// <param name="Origin">The log's name, first line of every checkpoint.</param>
/// <param name="Jwk">The one that signs now.</param>
/// <param name="Pem">The same key in SPKI form.</param>
/// <param name="Previous">Those that signed before, newest first.</param>
public sealed record CheckpointKeyView(
    string Object,
    string Origin,
    JwkView Jwk,
    string Pem,
    IReadOnlyList<PublicKeyView> Previous
);

/// <summary>A public key in both forms: as JSON, and in SPKI form.</summary>
public sealed record PublicKeyView(JwkView Jwk, string Pem);

/// <summary>A key on P-256 as JSON (RFC 7517); the id is its thumbprint (RFC 7638).</summary>
public sealed record JwkView(string Kty, string Crv, string X, string Y, string Use, string Alg, string Kid);
