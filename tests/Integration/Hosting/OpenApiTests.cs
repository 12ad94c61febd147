using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LocalPlus.Servers;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Hosting;

/// <summary>
/// What a service says of its endpoints is what others build on: contracts/openapi, one file a service for those who
/// come through the gateway and one for the other services and the sidecar (internal), from the endpoints that it has
/// when it runs. LP_GOLDEN=write rewrites them.
/// </summary>
public sealed class OpenApiTests
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    [Theory]
    [InlineData("analytics", "LocalPlus.Analytics")]
    [InlineData("console", "LocalPlus.Console")]
    [InlineData("giftcard", "LocalPlus.Giftcard")]
    [InlineData("ledger", "LocalPlus.Ledger")]
    [InlineData("merchant", "LocalPlus.Merchant")]
    [InlineData("notification", "LocalPlus.Notification")]
    [InlineData("wallet", "LocalPlus.Wallet")]
    public async Task A_service_describes_its_endpoints_as_committed(string service, string assembly)
    {
        var code = Assembly.Load(assembly);
        await using var database = await TestDatabase.CreateAsync(service, code);
        await using var sidecar = await StubSidecar.StartAsync();
        await using var running = await RunningService.StartAsync(
            code.Location,
            database,
            sidecar.Port,
            FreePort.Next(),
            ("LP_API_URL", "http://localhost"),
            ("LP_PUBLIC_URL", "http://localhost"),
            ("LP_OIDC_PROVIDER", "http://localhost"),
            ("Secrets__code_pepper", new string('p', 44)),
            ("Secrets__key_pepper", new string('p', 44)),
            ("Secrets__pii_key", new string('k', 44))
        );

        await HoldsAsync(running, "v1", service);
        await HoldsAsync(running, "internal", $"internal/{service}");
    }

    private static async Task HoldsAsync(RunningService running, string document, string name)
    {
        var text = await DescriptionAsync(running, document);
        var file = Path.Combine(ApiContract.Root(), "contracts", "openapi", $"{name}.json");
        if (Environment.GetEnvironmentVariable("LP_GOLDEN") == "write")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, text);
        }

        Assert.True(File.Exists(file), $"{file} is missing; ./localplus golden writes it.");
        Assert.True(
            await File.ReadAllTextAsync(file) == text,
            $"contracts/openapi/{name}.json is not what the service says; ./localplus golden rewrites it."
        );
    }

    private static async Task<HttpResponseMessage> AskAsync(RunningService service, string document)
    {
        try
        {
            return await service.Public.GetAsync(new Uri($"/openapi/{document}.json", UriKind.Relative));
        }
        catch (HttpRequestException broken)
        {
            throw new InvalidOperationException(service.Output, broken);
        }
    }

    /// <summary>
    /// Without the address, which is this run's; paths in order, so that a file's diff is what changed.
    /// </summary>
    private static async Task<string> DescriptionAsync(RunningService service, string document)
    {
        using var answer = await AskAsync(service, document);
        Assert.True(answer.IsSuccessStatusCode, service.Output);
        var description = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject();
        description.Remove("servers");
        var paths = description["paths"]!.AsObject();
        description["paths"] = new JsonObject(
            paths
                .OrderBy(path => path.Key, StringComparer.Ordinal)
                .Select(path => KeyValuePair.Create(path.Key, path.Value?.DeepClone()))
        );
        return description.ToJsonString(Indented) + "\n";
    }
}
