namespace LocalPlus.Sidecar.Api.Http;

/// <summary>
/// The path of a request on the HTTP port, taken from the raw request line: repeated slashes are one, a trailing slash
/// is none, and every segment is percent-decoded once, so that a key may hold an encoded slash.
/// </summary>
public readonly struct ApiPath
{
    private ApiPath(string raw, string query, string[] segments)
    {
        Raw = raw;
        Query = query;
        Segments = segments;
    }

    /// <summary>Still encoded, with a leading slash, slashes collapsed.</summary>
    public string Raw { get; }

    /// <summary>With its question mark; empty without a query.</summary>
    public string Query { get; }

    /// <summary>Decoded, the version first: <c>v1.0, state, store, key</c>.</summary>
    public string[] Segments { get; }

    /// <summary>The API's version and name, or empty.</summary>
    public string Version => Segments.Length > 0 ? Segments[0] : "";

    public string Api => Segments.Length > 1 ? Segments[1] : "";

    /// <summary>Number of segments behind version and API name.</summary>
    public int Count => Math.Max(0, Segments.Length - 2);

    /// <summary>A segment behind version and API name.</summary>
    public string this[int index] => Segments[index + 2];

    internal static ApiPath Parse(string target)
    {
        // Proxies may send the absolute form.
        if (!target.StartsWith('/') && target.IndexOf("://", StringComparison.Ordinal) is var scheme and > 0)
        {
            var slash = target.IndexOf('/', scheme + 3);
            target = slash < 0 ? "/" : target[slash..];
        }
        var mark = target.IndexOf('?', StringComparison.Ordinal);
        var path = mark < 0 ? target : target[..mark];
        var query = mark < 0 ? "" : target[mark..];
        if (path.Contains("//", StringComparison.Ordinal))
        {
            path = Collapse(path);
        }
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < parts.Length; i++)
        {
            if (parts[i].Contains('%', StringComparison.Ordinal))
            {
                parts[i] = Uri.UnescapeDataString(parts[i]);
            }
        }
        return new ApiPath(path, query, parts);
    }

    private static string Collapse(string path)
    {
        Span<char> result = path.Length <= 512 ? stackalloc char[path.Length] : new char[path.Length];
        var length = 0;
        foreach (var c in path)
        {
            if (c != '/' || length == 0 || result[length - 1] != '/')
            {
                result[length++] = c;
            }
        }
        return new string(result[..length]);
    }
}
