using System.Globalization;
using System.Text;

namespace Grpc.Core.Wire;

/// <summary>The header names and value encodings of gRPC over HTTP/2.</summary>
internal static class Headers
{
    public const string ContentType = "application/grpc";
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string Timeout = "grpc-timeout";
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";

    /// <summary>The specification gives a timeout at most eight digits.</summary>
    private const long LargestTimeoutValue = 99_999_999;

    /// <summary>Headers of the protocol itself, which are no metadata.</summary>
    public static bool IsReserved(string name) =>
        name.StartsWith(':') || name.ToLowerInvariant() is Status or Message or Timeout or Encoding or AcceptEncoding
            or "content-type" or "te" or "host" or "accept-encoding" or "content-length" or "trailer";

    public static bool IsGrpc(string? contentType) =>
        contentType is not null
        && contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == ContentType.Length || contentType[ContentType.Length] is ';' or '+');

    /// <summary>Adds a received header; binary values may be joined by commas and may lack their padding.</summary>
    public static void Add(Metadata metadata, string name, string value)
    {
        if (!name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.OrdinalIgnoreCase))
        {
            metadata.Add(name, value);
            return;
        }

        foreach (var part in value.Split(',', StringSplitOptions.TrimEntries))
        {
            metadata.Add(name, Convert.FromBase64String(part.PadRight((part.Length + 3) / 4 * 4, '=')));
        }
    }

    /// <summary>The entry's value as it travels.</summary>
    public static string Encode(Metadata.Entry entry) =>
        entry.IsBinary ? Convert.ToBase64String(entry.BinaryValue) : entry.Value;

    /// <summary>Rounded up, so that the other side does not give up first; at least one millisecond.</summary>
    public static string EncodeTimeout(TimeSpan timeout)
    {
        var milliseconds = Math.Max(1, (long)Math.Ceiling(timeout.TotalMilliseconds));
        return milliseconds <= LargestTimeoutValue
            ? string.Create(CultureInfo.InvariantCulture, $"{milliseconds}m")
            : string.Create(
                CultureInfo.InvariantCulture, $"{Math.Min(LargestTimeoutValue, (milliseconds + 999) / 1000)}S");
    }

    /// <summary>Null when there is none or it cannot be read; such a call has no deadline.</summary>
    public static TimeSpan? DecodeTimeout(string? value)
    {
        if (value is not { Length: >= 2 and <= 9 }
            || !long.TryParse(value.AsSpan(..^1), NumberStyles.None, CultureInfo.InvariantCulture, out var amount))
        {
            return null;
        }

        return value[^1] switch
        {
            'n' => TimeSpan.FromTicks(amount / TimeSpan.NanosecondsPerTick),
            'u' => TimeSpan.FromMicroseconds(amount),
            'm' => TimeSpan.FromMilliseconds(amount),
            'S' => TimeSpan.FromSeconds(amount),
            'M' => TimeSpan.FromMinutes(amount),
            'H' => TimeSpan.FromHours(amount),
            _ => null,
        };
    }

    /// <summary>Percent-encodes what is not printable ASCII, as grpc-message asks.</summary>
    public static string EncodeMessage(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~') && !text.Contains('%', StringComparison.Ordinal))
        {
            return text;
        }

        var encoded = new StringBuilder(text.Length + 16);
        foreach (var octet in System.Text.Encoding.UTF8.GetBytes(text))
        {
            if (octet is >= (byte)' ' and <= (byte)'~' and not (byte)'%')
            {
                encoded.Append((char)octet);
            }
            else
            {
                encoded.Append(CultureInfo.InvariantCulture, $"%{octet:X2}");
            }
        }

        return encoded.ToString();
    }

    /// <summary>Leaves what is no valid escape as it came.</summary>
    public static string DecodeMessage(string text) =>
        text.Contains('%', StringComparison.Ordinal) ? Uri.UnescapeDataString(text) : text;
}
