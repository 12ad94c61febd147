using Microsoft.IdentityModel.Tokens;

namespace LocalPlus.Hosting;

/// <summary>
/// The keys that sign operators' tokens: a JWKS, in a file or at an https address, read again when it is older than
/// <see cref="Lifetime"/>. Without a source there are no keys, and so no operators.
/// </summary>
internal sealed class OperatorKeys(string? source)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly Lock gate = new();
    private IList<SecurityKey> keys = [];
    private long readAt = long.MinValue;

    public IEnumerable<SecurityKey> Find(string? kid)
    {
        lock (gate)
        {
            if (source is not null && (readAt == long.MinValue || Environment.TickCount64 - readAt > Lifetime.TotalMilliseconds))
            {
                keys = new JsonWebKeySet(Read(source)).GetSigningKeys();
                readAt = Environment.TickCount64;
            }

            return kid is null ? keys : keys.Where(key => key.KeyId == kid);
        }
    }

    private static string Read(string source)
    {
        if (!source.StartsWith("https://", StringComparison.Ordinal))
        {
            return File.ReadAllText(source);
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, source);
        using var response = Http.Send(request);
        using var reader = new StreamReader(response.EnsureSuccessStatusCode().Content.ReadAsStream());
        return reader.ReadToEnd();
    }
}
