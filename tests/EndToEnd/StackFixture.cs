using System.Text.Json.Nodes;
using LocalPlus.Tests.EndToEnd.Telemetry;

namespace LocalPlus.Tests.EndToEnd;

/// <summary>The whole stack, started and stopped through ./localplus once for all tests that need it.</summary>
public sealed class StackFixture : IAsyncLifetime
{
    public CommandLine LocalPlus { get; } = new();

    public HttpClient Client { get; private set; } = new();

    public string ApiKey { get; private set; } = "";

    public string AdminToken { get; private set; } = "";

    /// <summary>Where everything that runs sends its traces, metrics and logs.</summary>
    internal Collector Collector { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Collector = await Collector.StartAsync();
        await LocalPlus.MustAsync("up", "--no-build", "--otlp", Collector.Address.ToString());
        Client = new HttpClient { BaseAddress = LocalPlus.Gateway };
        ApiKey = (string)
            JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(LocalPlus.State, "developer.json")))!["api_key"]!;
        AdminToken = (await LocalPlus.MustAsync("token", "--role", "admin")).Trim();
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await LocalPlus.RunAsync("down");
        LocalPlus.Dispose();
        await Collector.DisposeAsync();
    }
}

[CollectionDefinition(Name)]
public sealed class StackTests : ICollectionFixture<StackFixture>
{
    public const string Name = "the whole stack";
}
