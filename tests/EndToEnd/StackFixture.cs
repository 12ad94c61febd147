using System.Text.Json.Nodes;

namespace LocalPlus.Tests.EndToEnd;

/// <summary>The whole stack, started and stopped through ./localplus once for all tests that need it.</summary>
public sealed class StackFixture : IAsyncLifetime
{
    public CommandLine LocalPlus { get; } = new();

    public HttpClient Client { get; private set; } = new();

    public string ApiKey { get; private set; } = "";

    public string AdminToken { get; private set; } = "";

    public async Task InitializeAsync()
    {
        await LocalPlus.MustAsync("up", "--no-build");
        Client = new HttpClient { BaseAddress = LocalPlus.Gateway };
        ApiKey = (string)JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(LocalPlus.State, "developer.json")))!["api_key"]!;
        AdminToken = (await LocalPlus.MustAsync("token", "--role", "admin")).Trim();
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await LocalPlus.RunAsync("down");
        LocalPlus.Dispose();
    }
}

[CollectionDefinition(Name)]
public sealed class StackTests : ICollectionFixture<StackFixture>
{
    public const string Name = "the whole stack";
}
