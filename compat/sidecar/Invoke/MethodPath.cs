using System.Text;

namespace LocalPlus.Sidecar.Invoke;

/// <summary>A method path that cannot be sent to an application.</summary>
internal sealed class MethodPathException(string message) : Exception(message);

/// <summary>
/// The path of an invocation: decoded once, cleaned of dots and doubled slashes, escaped again as Go does.
/// </summary>
internal static class MethodPath
{
    private const string Hex = "0123456789ABCDEF";

    /// <summary>From a still encoded path to the one sent to the application, with a leading slash.</summary>
    public static string FromEncoded(string encoded) =>
        Escape(Clean(encoded.Contains('%', StringComparison.Ordinal) ? Uri.UnescapeDataString(encoded) : encoded));

    /// <summary>
    /// The same for a path that is not encoded (gRPC): nothing is decoded, and a percent sign is only one.
    /// </summary>
    public static string FromPlain(string path) => Escape(Clean(path), percentIsPlain: true);

    private static string Clean(string path)
    {
        if (path.AsSpan().IndexOfAny('#', '?', '\0') >= 0 || path.Contains('\r', StringComparison.Ordinal))
        {
            throw new MethodPathException("invalid method: contains forbidden characters");
        }
        if (
            !path.Contains("//", StringComparison.Ordinal)
            && !path.Contains("/.", StringComparison.Ordinal)
            && !path.StartsWith('.')
            && !path.EndsWith('/')
        )
        {
            return path.StartsWith('/') ? path : "/" + path;
        }
        var parts = new List<string>();
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "..")
            {
                if (parts.Count > 0)
                {
                    parts.RemoveAt(parts.Count - 1);
                }
            }
            else if (part != ".")
            {
                parts.Add(part);
            }
        }
        return "/" + string.Join('/', parts);
    }

    private static string Escape(string path, bool percentIsPlain = false)
    {
        if (path.AsSpan().IndexOfAnyExcept(Plain) < 0)
        {
            return path;
        }
        var result = new StringBuilder(path.Length + 16);
        Span<byte> utf8 = stackalloc byte[4];
        for (var i = 0; i < path.Length; i++)
        {
            var c = path[i];
            if (c == '%')
            {
                if (
                    !percentIsPlain
                    && (
                        i + 2 >= path.Length || !char.IsAsciiHexDigit(path[i + 1]) || !char.IsAsciiHexDigit(path[i + 2])
                    )
                )
                {
                    throw new MethodPathException(
                        $"parse \"{path}\": invalid URL escape \"{path.AsSpan(i, Math.Min(3, path.Length - i))}\""
                    );
                }
                result.Append(c);
            }
            else if (c < 0x20 || c == 0x7f)
            {
                throw new MethodPathException($"parse \"{path}\": net/url: invalid control character in URL");
            }
            else if (Plain.Contains(c))
            {
                result.Append(c);
            }
            else
            {
                Rune.TryGetRuneAt(path, i, out var rune);
                rune = rune == default ? Rune.ReplacementChar : rune;
                i += rune.Utf16SequenceLength - 1;
                foreach (var b in utf8[..rune.EncodeToUtf8(utf8)])
                {
                    result.Append('%').Append(Hex[b >> 4]).Append(Hex[b & 15]);
                }
            }
        }
        return result.ToString();
    }

    private static readonly System.Buffers.SearchValues<char> Plain = System.Buffers.SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~$&+,/:;=@!'()*"
    );
}
