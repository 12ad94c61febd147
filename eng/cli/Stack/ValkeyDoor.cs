using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LocalPlus.Cli;

/// <summary>
/// Valkey's second door, with TLS and a user as clouds have it. Open when the chosen components ask for TLS; the
/// stack's own tools keep to the first one.
/// </summary>
internal static class ValkeyDoor
{
    public const string User = "localplus";

    /// <summary>The environment variable that names whose certificates a sidecar trusts.</summary>
    public const string Trust = "SSL_CERT_FILE";

    private const string Folder = "valkey";
    private const string CertificateFile = "door.pem";
    private const string KeyFile = "door.key";
    private static readonly TimeSpan Life = TimeSpan.FromDays(30);

    public static bool IsAskedFor(StackOptions options) =>
        options.Components is { } folder
        && Directory
            .EnumerateFiles(folder, "*.yaml")
            .Any(file => File.ReadAllText(file).Contains("- name: enableTLS", StringComparison.Ordinal));

    /// <summary>Its certificate, which nobody but itself has signed.</summary>
    public static string Certificate(Checkout checkout) => Path.Combine(checkout.State, Folder, CertificateFile);

    /// <summary>Makes a certificate for this start; the lines of valkey.conf that open the door.</summary>
    public static string Open(Checkout checkout, Ports ports, Secrets secrets)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=valkey", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.CreateSelfSigned(now.AddMinutes(-1), now + Life);
        checkout.WriteText(Path.Combine(Folder, CertificateFile), certificate.ExportCertificatePem() + "\n");
        checkout.WriteText(Path.Combine(Folder, KeyFile), key.ExportPkcs8PrivateKeyPem() + "\n");
        return $"""
            tls-port {ports.ValkeyTls}
            tls-cert-file "{Certificate(checkout)}"
            tls-key-file "{Path.Combine(checkout.State, Folder, KeyFile)}"
            tls-auth-clients no
            user {User} on >{secrets.ValkeyUserPassword} ~* &* +@all
            """;
    }
}
