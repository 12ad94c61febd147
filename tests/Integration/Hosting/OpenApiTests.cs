using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LocalPlus.Servers;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Hosting;

/// <summary>
/// What a service says of its endpoints is what others build on: contracts/openapi, one file a service, from the
/// endpoints that it has when it runs. LP_GOLDEN=write rewrites them.
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
        await using var running = await ServiceProcess.StartAsync(
            code.Location,
            database,
            sidecar.Port,
            FreePort.Next(),
            ("Secrets__code_pepper", new string('p', 44)),
            ("Secrets__key_pepper", new string('p', 44)),
            ("Secrets__pii_key", new string('k', 44))
        );

        var text = await DescriptionAsync(running);

        var file = Path.Combine(ApiContract.Root(), "contracts", "openapi", $"{service}.json");
        if (Environment.GetEnvironmentVariable("LP_GOLDEN") == "write")
        {
            await File.WriteAllTextAsync(file, text);
        }

        Assert.True(File.Exists(file), $"{file} is missing; ./localplus golden writes it.");
        Assert.True(
            await File.ReadAllTextAsync(file) == text,
            $"contracts/openapi/{service}.json is not what {service} says; ./localplus golden rewrites it."
        );
    }

    /// <summary>
    /// Without the address, which is this run's; paths in order, so that a file's diff is what changed.
    /// </summary>
    private static async Task<string> DescriptionAsync(ServiceProcess service)
    {
        using var answer = await service.Public.GetAsync(new Uri("/openapi/v1.json", UriKind.Relative));
        Assert.True(answer.IsSuccessStatusCode, service.Output);
        var document = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject();
        document.Remove("servers");
        var paths = document["paths"]!.AsObject();
        document["paths"] = new JsonObject(
            paths
                .OrderBy(path => path.Key, StringComparer.Ordinal)
                .Select(path => KeyValuePair.Create(path.Key, path.Value?.DeepClone()))
        );
        return document.ToJsonString(Indented) + "\n";
    }
}
