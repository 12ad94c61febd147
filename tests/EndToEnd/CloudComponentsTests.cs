using System.Text.Json.Nodes;

namespace LocalPlus.Tests.EndToEnd;

/// <summary>
/// The demo's story over components of a cloud, as far as this machine can have them: Valkey behind TLS with a user,
/// and secrets under the names that they have there. No service is built for it.
/// </summary>
[Trait("Run", "named")]
public sealed class CloudComponentsTests : IAsyncLifetime
{
    private readonly CommandLine _localplus = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _localplus.RunAsync("down");
        _localplus.Dispose();
    }

    [Theory]
    [InlineData("aiven-aws", "components", "valkey_host")]
    [InlineData("gcp", "components-valkey-host", "components-valkey-host")]
    public async Task The_story_is_the_same_over_what_a_cloud_has(string cloud, string entry, string key)
    {
        var told = await _localplus.MustAsync("swap", cloud, "--here");
        Assert.Contains($"{cloud}: 9 components as there", told, StringComparison.Ordinal);
        Assert.Contains("pubsub of local in the place of pubsub.kafka", told, StringComparison.Ordinal);
        var folder = Path.Combine(_localplus.State, "components", $"{cloud}-here");

        await _localplus.MustAsync("up", "--no-build", "--components", folder);

        var host = (string?)(await ReadAsync("secrets.json"))[entry]![key];
        Assert.Equal($"127.0.0.1:{5709 + _localplus.Offset}", host);
        Assert.Contains(
            "nothing lost, nothing doubled",
            await _localplus.MustAsync("demo", "--break", "sidecar"),
            StringComparison.Ordinal
        );
        // Everybody came in by that door, but for the stack's own tools.
        var password = (string?)(await ReadAsync("keys.json"))["valkey"];
        var clients = await _localplus.PasteAsync(
            $"REDISCLI_AUTH={password} valkey-cli -p {5702 + _localplus.Offset} client list"
        );
        Assert.Contains("user=localplus", clients.Output, StringComparison.Ordinal);
        Assert.Single(clients.Output.Split('\n'), line => line.Contains("user=default", StringComparison.Ordinal));
    }

    private async Task<JsonNode> ReadAsync(string file) =>
        JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_localplus.State, file)))!;

    [Fact]
    public async Task A_cloud_of_which_nothing_can_be_had_here_is_refused()
    {
        var refused = await _localplus.RunAsync("swap", "azure", "--here");

        Assert.Equal(3, refused.ExitCode);
        Assert.Contains("none of its components", refused.Output, StringComparison.Ordinal);
    }
}
