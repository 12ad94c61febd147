using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using LocalPlus.Merchant.Keys;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Merchant;

/// <summary>
/// The merchant service with a database and a sidecar of its own, and an administrator who may onboard.
/// </summary>
public sealed class MerchantApi : IAsyncLifetime
{
    private readonly OperatorTokens operators = new();

    /// <summary>Further settings of the service.</summary>
    public IReadOnlyList<(string Name, string Value)> Settings { get; init; } = [];

    /// <summary>Where what replicas share is; 0: nowhere.</summary>
    public int GrpcPort { get; init; }

    public TestDatabase Database { get; private set; } = null!;

    public RunningService Service { get; private set; } = null!;

    public StubSidecar Sidecar { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync("merchant", typeof(KeyText).Assembly);
        Sidecar = await StubSidecar.StartAsync();
        Service = await RunningService.StartAsync(
            typeof(KeyText).Assembly.Location,
            Database,
            Sidecar.Port,
            GrpcPort,
            settings: [("Secrets__key_pepper", new string('p', 40)), ("LP_JWKS", operators.JwksPath), .. Settings]
        );
    }

    public async Task DisposeAsync()
    {
        await Service.DisposeAsync();
        await Sidecar.DisposeAsync();
        await Database.DisposeAsync();
        operators.Dispose();
    }

    public string AdminToken => operators.Mint("admin");

    public string Token(string role) => operators.Mint(role);

    /// <summary>The token of an operator who signed in then.</summary>
    public string Token(string role, DateTimeOffset signedInAt) => operators.Mint(role, at: signedInAt);

    /// <summary>A token that says just this.</summary>
    public string Token(string issuer, string audience, Dictionary<string, object> claims) =>
        operators.Mint(issuer, audience, claims);

    /// <summary>The token of somebody who is no operator.</summary>
    public string PersonToken(string subject) => operators.Mint("person", subject);

    /// <summary>What an operator with the role does.</summary>
    public Task<JsonElement> OperateAsync(
        HttpMethod method,
        string path,
        string role,
        object? body = null,
        int status = 200
    ) => CallAsync(method, path, operators.Mint(role), body, status);

    /// <summary>What others were told of a merchant; its audit is not for them.</summary>
    public JsonElement[] Announced(string id) =>
        [
            .. Sidecar.Published.Where(e =>
                e.GetProperty("event").GetProperty("subject").GetString() == id
                && e.GetProperty("topic").GetString() != "merchant.audit.v1"
            ),
        ];

    /// <summary>"busy" is an invitation to repeat with the same key.</summary>
    public async Task<HttpResponseMessage> OnboardAsync(
        object body,
        string role = "admin",
        string? idempotencyKey = null
    )
    {
        var key = idempotencyKey ?? Guid.CreateVersion7().ToString();
        HttpResponseMessage? answer = null;
        await Eventually.TrueAsync(async () =>
        {
            answer?.Dispose();
            answer = await Service.SendAsync(HttpMethod.Post, "/v1/merchants", operators.Mint(role), body, key);
            return answer.StatusCode != HttpStatusCode.ServiceUnavailable;
        });
        return answer!;
    }

    /// <summary>A new merchant's id and first API key.</summary>
    public async Task<(string Id, string Key, string KeyId)> OnboardAsync()
    {
        using var answer = await OnboardAsync(
            new
            {
                name = "Le Fournil",
                country = "FR",
                currency = "EUR",
                contact_email = "hello@fournil.test",
            }
        );
        var body = await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>();
        var key = body.GetProperty("api_key");
        return (
            body.GetProperty("id").GetString()!,
            key.GetProperty("key").GetString()!,
            key.GetProperty("id").GetString()!
        );
    }

    /// <summary>Changes the key's merchant, or what is at the path, under the version that was last seen.</summary>
    public async Task<JsonElement> PatchAsync(
        string key,
        object body,
        long? version,
        int status = 200,
        string path = "/v1/merchants/me"
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, path) { Content = JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (version is { } seen)
        {
            request.Headers.TryAddWithoutValidation("If-Match", $"\"{seen}\"");
        }

        using var answer = await Service.Public.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(status == (int)answer.StatusCode, $"PATCH: {(int)answer.StatusCode} {text}\n{Service.Output}");
        return JsonElement.Parse(text);
    }

    /// <summary>Sends, checks the status and returns the body.</summary>
    public Task<JsonElement> CallAsync(
        HttpMethod method,
        string path,
        string? bearer,
        object? body = null,
        int status = 200,
        string? idempotencyKey = null
    ) => Service.CallAsync(method, path, bearer, body, status, idempotencyKey);
}
