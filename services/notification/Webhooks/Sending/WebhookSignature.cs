using System.Security.Cryptography;
using System.Text;

namespace LocalPlus.Notification.Webhooks.Sending;

/// <summary>
/// The headers of the Standard Webhooks specification: an id that stays the same however often an event is sent, the
/// instant of the sending, and a signature with each live secret over both and the body.
/// </summary>
internal static class WebhookSignature
{
    public const string IdHeader = "webhook-id";
    public const string TimestampHeader = "webhook-timestamp";
    public const string SignatureHeader = "webhook-signature";

    public static string Of(string id, long timestamp, ReadOnlySpan<byte> body, params ReadOnlySpan<byte[]> secrets)
    {
        byte[] signed = [.. Encoding.ASCII.GetBytes($"{id}.{timestamp}."), .. body];
        var signatures = new string[secrets.Length];
        for (var i = 0; i < secrets.Length; i++)
        {
            signatures[i] = $"v1,{Convert.ToBase64String(HMACSHA256.HashData(secrets[i], signed))}";
        }

        return string.Join(' ', signatures);
    }
}
