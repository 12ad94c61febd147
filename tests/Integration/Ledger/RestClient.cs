using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using LocalPlus.Kernel;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>An answer over REST, to the byte.</summary>
internal sealed record RestAnswer(int Status, string Text, HttpResponseHeaders Headers, string? ContentType)
{
    public JsonElement Json => JsonSerializer.Deserialize<JsonElement>(Text.Length == 0 ? "{}" : Text);

    public string? Code => Status >= 400 ? this["code"].GetString() : null;

    public bool IsReplay => Headers.Contains("Idempotency-Replayed");

    public string? ETag => Headers.ETag?.Tag;

    public JsonElement this[string name] => Json.GetProperty(name);

    public long Number(string name) => this[name].GetInt64();

    public string String(string name) => this[name].GetString()!;
}

/// <summary>The ledger as a merchant reaches it.</summary>
internal sealed class RestClient(LedgerFixture ledger, MerchantId? merchant = null)
{
    private static int keys;
    private readonly string bearer = ledger.Sidecar.IssueKey(
        merchant ?? ledger.Merchant,
        "ledger:read",
        "ledger:write"
    );
    private readonly MerchantId merchant = merchant ?? ledger.Merchant;

    public Task<RestAnswer> GetAsync(string path, string? ifNoneMatch = null) =>
        SendAsync(HttpMethod.Get, path, null, null, ("If-None-Match", ifNoneMatch));

    public Task<RestAnswer> PostAsync(string path, object body, string? key = null) =>
        SendAsync(HttpMethod.Post, path, body, key);

    public Task<RestAnswer> PatchAsync(string path, object body, string? ifMatch, string? key = null) =>
        SendAsync(HttpMethod.Patch, path, body, key, ("If-Match", ifMatch));

    /// <summary>Opens an account and gives its id.</summary>
    public async Task<string> OpenAsync(
        string name,
        string asset = "EUR",
        bool unbounded = false,
        bool striped = false,
        long? floor = null,
        long? ceiling = null
    )
    {
        var answer = await PostAsync(
            "/v1/accounts",
            new
            {
                name,
                asset,
                unbounded,
                striped,
                floor,
                ceiling,
            }
        );
        Assert.True(answer.Status == 201, answer.Text);
        return answer.String("id");
    }

    public Task<RestAnswer> TransferAsync(
        string source,
        string destination,
        long amount,
        string? key = null,
        string? reference = null,
        string query = ""
    ) =>
        PostAsync(
            $"/v1/transactions{query}",
            new
            {
                kind = "transfer",
                reference,
                postings = new[]
                {
                    new
                    {
                        source,
                        destination,
                        amount,
                    },
                },
            },
            key
        );

    public async Task<long> PostedAsync(string account) => (await GetAsync($"/v1/accounts/{account}")).Number("posted");

    /// <summary>
    /// A body of text is sent as it is; a mutation gets a key of its own unless one is given ("" sends none).
    /// </summary>
    public async Task<RestAnswer> SendAsync(
        HttpMethod method,
        string path,
        object? body,
        string? key,
        params (string Name, string? Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        if (method != HttpMethod.Get)
        {
            var text = body as string ?? JsonSerializer.Serialize(body, Options);
            request.Content = body is byte[] bytes
                ? new ByteArrayContent(bytes)
                : new StringContent(text, Encoding.UTF8);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            headers = [.. headers, ("Idempotency-Key", key ?? $"rest-{merchant}-{Interlocked.Increment(ref keys)}")];
        }

        foreach (var (name, value) in headers.Where(header => !string.IsNullOrEmpty(header.Value)))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var answer = await ledger.Service.Public.SendAsync(request);
        return new RestAnswer(
            (int)answer.StatusCode,
            await answer.Content.ReadAsStringAsync(),
            answer.Headers,
            answer.Content.Headers.ContentType?.MediaType
        );
    }

    private static JsonSerializerOptions Options { get; } =
        new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };
}
