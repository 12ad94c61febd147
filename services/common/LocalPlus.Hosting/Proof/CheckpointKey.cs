using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;

namespace LocalPlus.Hosting;

/// <summary>
/// Signs checkpoints: ECDSA on P-256 with SHA-256, the signature in ASN.1 DER; the key's id in a note is the beginning
/// of the SHA-256 of the public key in SPKI form.
/// </summary>
public sealed class CheckpointKey : IDisposable
{
    /// <summary>The private key's name in the secret store: PKCS #8 in base64.</summary>
    public const string SecretName = "checkpoint_key";

    private readonly ECDsa key = ECDsa.Create();
    private readonly byte[] keyId;

    public CheckpointKey(IConfiguration configuration)
    {
        key.ImportPkcs8PrivateKey(Convert.FromBase64String(configuration.Secret(SecretName)), out _);
        keyId = SHA256.HashData(key.ExportSubjectPublicKeyInfo())[..Checkpoint.KeyIdBytes];
    }

    /// <summary>The note that says: the log of this name has this size and this root.</summary>
    public string Sign(string origin, long size, byte[] root)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{origin}\n{size}\n{Convert.ToBase64String(root)}\n");
        var signature = key.SignData(
            Encoding.UTF8.GetBytes(text),
            HashAlgorithmName.SHA256,
            DSASignatureFormat.Rfc3279DerSequence
        );
        return $"{text}\n— {origin} {Convert.ToBase64String([.. keyId, .. signature])}\n";
    }

    /// <summary>Whether this key signed the note.</summary>
    public bool HasSigned(Checkpoint checkpoint) => checkpoint.IsSignedBy(key);

    /// <summary>The public key, for whoever verifies.</summary>
    /// <param name="kind">The view's <c>object</c>.</param>
    /// <param name="origin">The log that is signed with it.</param>
    public CheckpointKeyView View(string kind, string origin)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var (x, y) = (Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
        // RFC 7638: the members in this order, no white space.
        var thumbprint = SHA256.HashData(
            Encoding.ASCII.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}""")
        );
        var jwk = new JwkView("EC", "P-256", x, y, "sig", "ES256", Base64Url.EncodeToString(thumbprint));
        return new CheckpointKeyView(kind, origin, jwk, key.ExportSubjectPublicKeyInfoPem());
    }

    public void Dispose() => key.Dispose();
}

/// <summary>A public key that signs checkpoints.</summary>
/// <param name="Origin">The log's name, first line of every checkpoint.</param>
/// <param name="Pem">The same key in SPKI form.</param>
public sealed record CheckpointKeyView(string Object, string Origin, JwkView Jwk, string Pem);

/// <summary>A key on P-256 as JSON (RFC 7517); the id is its thumbprint (RFC 7638).</summary>
public sealed record JwkView(string Kty, string Crv, string X, string Y, string Use, string Alg, string Kid);
