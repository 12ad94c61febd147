using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LocalPlus.Hosting;

namespace LocalPlus.Ledger.Proof;

/// <summary>
/// Signs checkpoints: ECDSA on P-256 with SHA-256, as a C2SP signed note (type 0x02: the key's id is the beginning of
/// the SHA-256 of the public key in SPKI form, the signature is in ASN.1 DER).
/// </summary>
internal sealed class LogKey : IDisposable
{
    /// <summary>The private key's name in the secret store: PKCS #8 in base64.</summary>
    public const string SecretName = "checkpoint_key";

    private const int KeyIdBytes = 4;
    private const string DefaultOrigin = "localplus.local/ledger";
    private readonly ECDsa key = ECDsa.Create();
    private readonly byte[] keyId;

    public LogKey(IConfiguration configuration)
    {
        Origin = configuration["LP_LOG_ORIGIN"] ?? DefaultOrigin;
        key.ImportPkcs8PrivateKey(Convert.FromBase64String(configuration.Secret(SecretName)), out _);
        keyId = SHA256.HashData(key.ExportSubjectPublicKeyInfo())[..KeyIdBytes];
    }

    /// <summary>The log's name, first line of every checkpoint: never two logs of one name.</summary>
    public string Origin { get; }

    public string PublicPem => key.ExportSubjectPublicKeyInfoPem();

    public ECPoint PublicPoint => key.ExportParameters(includePrivateParameters: false).Q;

    /// <summary>The checkpoint of a tree, signed.</summary>
    public string Sign(long size, byte[] root)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{Origin}\n{size}\n{Convert.ToBase64String(root)}\n");
        var signature = key.SignData(
            Encoding.UTF8.GetBytes(text),
            HashAlgorithmName.SHA256,
            DSASignatureFormat.Rfc3279DerSequence
        );
        return $"{text}\n— {Origin} {Convert.ToBase64String([.. keyId, .. signature])}\n";
    }

    public void Dispose() => key.Dispose();
}
