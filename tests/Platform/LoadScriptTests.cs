using System.Net;
using LocalPlus.Servers;

namespace LocalPlus.Tests.Platform;

/// <summary>
/// The k6 scripts, run by the local runner against a gateway that answers at once: every script loads, sends what it
/// says, and ends with 99 when a threshold is crossed. k6 itself is not there to be had.
/// </summary>
public sealed class LoadScriptTests : IDisposable
{
    private readonly HttpListener _gateway = new();
    private readonly int _port = FreePort.Next();
    private int _status = 201;
    private int _requests;

    public LoadScriptTests()
    {
        _gateway.Prefixes.Add($"http://127.0.0.1:{_port}/");
        _gateway.Start();
        _ = ServeAsync();
    }

    public void Dispose() => _gateway.Close();

    [Theory]
    [InlineData("smoke")]
    [InlineData("load")]
    [InlineData("stress")]
    [InlineData("soak")]
    public void A_script_runs_and_judges(string script)
    {
        var result = Run(script);
        Assert.True(result.Code is 0 or 99, result.Error);
        Assert.Contains("ok   http_req_failed", result.Output, StringComparison.Ordinal);
        Assert.Contains("ok   checks", result.Output, StringComparison.Ordinal);
        Assert.InRange(_requests, 10, 100_000);
    }

    [Fact]
    public void A_crossed_threshold_fails_the_run()
    {
        _status = 500;
        var result = Run("smoke");
        Assert.NotEqual(0, result.Code);
    }

    [Fact]
    public void The_full_load_is_that_of_the_design()
    {
        var text = Repository.Read("perf/k6/story.js");
        Assert.Contains("Math.round(500 * scale)", text, StringComparison.Ordinal);
        Assert.Contains("Math.round(1500 * scale)", text, StringComparison.Ordinal);
        Assert.Contains("http_req_duration: ['p(99)<200']", text, StringComparison.Ordinal);
    }

    private Tools.Result Run(string script) =>
        Tools.Node(
            Repository.At("perf/run-local/k6-run.mjs"),
            Repository.At($"perf/k6/{script}.js"),
            "-e",
            $"BASE_URL=http://127.0.0.1:{_port}",
            "-e",
            "API_KEY=none",
            "-e",
            "SCALE=0.01",
            "-e",
            "DURATION=1s"
        );

    private async Task ServeAsync()
    {
        while (_gateway.IsListening)
        {
            HttpListenerContext call;
            try
            {
                call = await _gateway.GetContextAsync();
            }
            catch (Exception ended) when (ended is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            Interlocked.Increment(ref _requests);
            call.Response.StatusCode = _status == 201 && call.Request.HttpMethod == "GET" ? 200 : _status;
            await call.Response.OutputStream.WriteAsync("""{"id":"card_1","code":"none"}"""u8.ToArray());
            call.Response.Close();
        }
    }
}
