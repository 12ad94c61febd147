using System.Diagnostics;

namespace LocalPlus.Tests.EndToEnd;

/// <summary>./localplus with PostgreSQL, Valkey, SMTP and the gateway only, and without anything.</summary>
public sealed class CommandLineTests : IAsyncLifetime
{
    private readonly CommandLine _localplus = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _localplus.RunAsync("down");
        _localplus.Dispose();
    }

    [Fact]
    public async Task A_killed_supervisor_is_recovered_from_and_down_leaves_no_process()
    {
        await _localplus.MustAsync("up", "--backing", "--no-build");
        var first = _localplus.Pids.ToList();
        Assert.All(first, pid => Assert.True(CommandLine.Runs(pid)));

        Process.GetProcessById((int)_localplus.StateFile["supervisor"]!).Kill();
        await _localplus.MustAsync("up", "--backing", "--no-build");
        Assert.All(first, pid => Assert.False(CommandLine.Runs(pid), $"{pid} of the first supervisor still runs"));
        var second = _localplus.Pids.ToList();

        await _localplus.MustAsync("up", "--backing", "--no-build");
        Assert.Equal(second, _localplus.Pids);

        await _localplus.MustAsync("down");
        Assert.All(second, pid => Assert.False(CommandLine.Runs(pid), $"{pid} still runs"));
        await _localplus.MustAsync("down");
    }

    [Theory]
    [InlineData(2, "./localplus help", "fly")]
    [InlineData(2, "./localplus help status", "status", "--fast")]
    [InlineData(2, "./localplus help token", "token", "--role", "king")]
    [InlineData(2, "./localplus help test", "test", "nothing")]
    [InlineData(2, "./localplus help demo", "demo", "--break", "moon")]
    [InlineData(3, "./localplus up", "token")]
    [InlineData(3, "./localplus up", "logs")]
    [InlineData(3, "./localplus up, or --key KEY", "events", "list")]
    [InlineData(3, "./localplus job list", "job", "run", "nothing")]
    [InlineData(5, "./localplus up", "status")]
    [InlineData(5, "./localplus up", "demo")]
    [InlineData(5, "./localplus up", "psql")]
    [InlineData(5, "./localplus up", "bench", "redeem")]
    public async Task A_verb_that_fails_says_what_to_do_next(int exitCode, string next, params string[] arguments)
    {
        var ended = await _localplus.RunAsync(arguments);

        Assert.Equal(exitCode, ended.ExitCode);
        Assert.Contains($"next:   {next}\n", ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stack_that_is_away_is_unavailable_to_its_profile()
    {
        Directory.CreateDirectory(_localplus.State);
        var profile = Path.Combine(_localplus.State, "profile.json");
        await File.WriteAllTextAsync(
            profile,
            """{"url":"http://127.0.0.1:9","issuer":"http://127.0.0.1:9","api_key":"k","operator_key_file":"/none"}"""
        );
        File.SetUnixFileMode(profile, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var ended = await _localplus.RunAsync("cards", "list", "--profile", "local");

        Assert.Equal((5, ""), (ended.ExitCode, ended.Data));
        Assert.Contains("next:   ./localplus up, or ./localplus status\n", ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_verb_lists_the_verbs()
    {
        var list = await _localplus.MustAsync();

        Assert.All(
            [
                "up",
                "demo",
                "status",
                "down",
                "doctor",
                "test",
                "bench",
                "token",
                "logs",
                "psql",
                "job",
                "golden",
                "openapi",
                "login",
                "profile",
                "runs",
                "cards",
            ],
            verb => Assert.Matches($@"(?m)^  {verb}\b", list)
        );
    }
}
