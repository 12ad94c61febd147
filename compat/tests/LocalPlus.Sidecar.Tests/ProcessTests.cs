using System.Net.Http.Json;
using System.Net.NetworkInformation;
using System.Text.Json;
using LocalPlus.Servers;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Sidecar.Tests;

/// <summary>
/// Start, signals, exit codes and log lines of the process, which starts without a single environment variable.
/// </summary>
public sealed class ProcessTests
{
    private static readonly string[] LogMembers =
    [
        "app_id",
        "instance",
        "level",
        "msg",
        "scope",
        "time",
        "type",
        "ver",
    ];

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task A_signal_lets_the_delivery_in_progress_end_and_the_exit_code_is_0(string signal)
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var delivered = 0;
        var port = FreePort.Next();
        await using var app = new ScriptedApp(
            port,
            "http",
            async http =>
            {
                if (http.Request.Path == "/orders")
                {
                    await release.Task.WaitAsync(http.RequestAborted);
                    Interlocked.Increment(ref delivered);
                }
            }
        );
        await app.StartAsync();
        await using var daprd = await DaprdProcess.StartAsync(Yaml.Events, port);
        await daprd.Http.PostAsJsonAsync("/v1.0/publish/pubsub/orders", new { n = 1 });
        await SidecarUnderTest.UntilAsync(() => app.Requests.Contains("POST /orders"));

        await daprd.SignalAsync(signal);
        await SidecarUnderTest.UntilAsync(() =>
            daprd.Log.Any(l => l.Contains("shutting down", StringComparison.Ordinal))
        );
        Assert.False(daprd.HasExited);
        release.SetResult();

        Assert.Equal(0, await daprd.ExitCodeAsync());
        Assert.Equal(1, delivered);
    }

    [Fact]
    public async Task Every_log_line_has_daprds_members()
    {
        await using var daprd = await DaprdProcess.StartAsync(Yaml.Memory);
        await daprd.SignalAsync("TERM");
        await daprd.ExitCodeAsync();

        Assert.NotEmpty(daprd.Log);
        Assert.All(
            daprd.Log,
            line =>
            {
                var members = JsonSerializer.Deserialize<JsonElement>(line);
                Assert.Equal(LogMembers, members.EnumerateObject().Select(m => m.Name).Order(StringComparer.Ordinal));
                Assert.Equal("process", members.GetProperty("app_id").GetString());
                Assert.StartsWith("dapr.", members.GetProperty("scope").GetString(), StringComparison.Ordinal);
            }
        );
    }

    [Fact]
    public async Task A_call_of_the_API_is_logged_with_its_status_when_that_is_asked_for()
    {
        await using var daprd = await DaprdProcess.StartAsync(Yaml.Memory, flags: ["--enable-api-logging"]);
        await daprd.Http.GetAsync("/v1.0/state/store/absent");

        await SidecarUnderTest.UntilAsync(() =>
            daprd.Log.Any(l => l.Contains("state/store/absent", StringComparison.Ordinal))
        );
        var line = JsonSerializer.Deserialize<JsonElement>(
            daprd.Log.First(l => l.Contains("state/store/absent", StringComparison.Ordinal))
        );

        Assert.Equal("HTTP API Called", line.GetProperty("msg").GetString());
        Assert.Equal("GET /v1.0/state/store/absent", line.GetProperty("method").GetString());
        Assert.Equal(204, line.GetProperty("code").GetInt32());
        Assert.True(line.GetProperty("duration").GetInt64() >= 0);
    }

    [Fact]
    public async Task Its_ports_are_open_to_this_machine_only()
    {
        await using var daprd = await DaprdProcess.StartAsync(Yaml.Memory);

        var listening = IPGlobalProperties
            .GetIPGlobalProperties()
            .GetActiveTcpListeners()
            .Where(l => l.Port == daprd.HttpPort)
            .ToList();

        Assert.NotEmpty(listening);
        Assert.All(listening, l => Assert.True(System.Net.IPAddress.IsLoopback(l.Address), l.ToString()));
    }

    [Fact]
    public async Task Sidecars_in_processes_of_their_own_find_each_other_and_notice_an_end()
    {
        var id = $"callee-{FreePort.Next()}";
        var port = FreePort.Next();
        await using var app = new ScriptedApp(
            port,
            "http",
            http => http.Response.WriteAsync($"for {http.Request.Headers["dapr-caller-app-id"]}")
        );
        await app.StartAsync();
        await using var caller = await DaprdProcess.StartAsync(Yaml.Memory);
        var callee = await DaprdProcess.StartAsync(Yaml.Memory, port, "--app-id", id);

        Assert.Equal("for process", await caller.Http.GetStringAsync($"/v1.0/invoke/{id}/method/x"));
        await callee.SignalAsync("KILL");
        await callee.ExitCodeAsync();
        Assert.Equal(
            System.Net.HttpStatusCode.InternalServerError,
            (await caller.Http.GetAsync($"/v1.0/invoke/{id}/method/x")).StatusCode
        );
        await callee.DisposeAsync();
        await using var again = await DaprdProcess.StartAsync(Yaml.Memory, port, "--app-id", id);
        await SidecarUnderTest.UntilAsync(async () =>
            (await caller.Http.GetAsync($"/v1.0/invoke/{id}/method/x")).IsSuccessStatusCode
        );
    }
}
