using System.CommandLine;
using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>
/// A merchant's developer at the API: with the key that --key or LOCALPLUS_API_KEY names, else the one that `up` made,
/// and at the gateway that --gateway names, else that of this checkout's stack.
/// </summary>
internal sealed class MerchantCaller : IDisposable
{
    private const string KeyVariable = "LOCALPLUS_API_KEY";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static readonly Option<string> Key = Verbs.Text(
        "--key",
        $"an API key; {KeyVariable} or this stack's when nothing is said",
        "KEY"
    );

    public static readonly Option<string> Gateway = Verbs.Text(
        "--gateway",
        "where the API is; this stack's when nothing is said",
        "URL"
    );

    private readonly Rest _rest;

    private MerchantCaller(string gateway, string key) => _rest = new Rest(gateway, key, Patience);

    public static MerchantCaller Of(Invocation call)
    {
        var key =
            call.Words.GetValue(Key)
            ?? Environment.GetEnvironmentVariable(KeyVariable)
            ?? Developer.Remembered(call.Checkout)?.ApiKey
            ?? throw new CliFailure(ExitCodes.NotFound, "there is no API key", "./localplus up, or --key KEY");
        var gateway = call.Words.GetValue(Gateway) ?? StackState.RunningOrFail(call.Checkout).Ports.GatewayUrl;
        return new MerchantCaller(gateway, key);
    }

    public Task<RestAnswer> GetAsync(string path, CancellationToken cancel) => _rest.GetAsync(path, cancel);

    /// <summary>The answer's body, or the failure that it is.</summary>
    public async Task<RestAnswer> MustGetAsync(string path, CancellationToken cancel) =>
        Must(path, await _rest.GetAsync(path, cancel));

    public async Task<RestAnswer> MustPostAsync(string path, JsonObject? body, CancellationToken cancel) =>
        Must(path, await _rest.PostAsync(path, body, Guid.NewGuid().ToString(), cancel));

    public void Dispose() => _rest.Dispose();

    /// <summary>Refused for good: asking again would not help.</summary>
    public static CliFailure Refusal(string path, RestAnswer answer) =>
        answer.Status switch
        {
            0 or >= 500 => new CliFailure(
                ExitCodes.Unavailable,
                $"{path}: no answer ({answer.Text("detail")})",
                "./localplus status"
            ),
            404 => new CliFailure(ExitCodes.NotFound, $"{path}: {answer.Text("detail")}", "./localplus events list"),
            _ => new CliFailure(
                ExitCodes.Refused,
                $"{path}: {answer.Status} {answer.Code} {answer.Text("detail")}",
                $"docs/reference/problems.md#{answer.Code}"
            ),
        };

    private static RestAnswer Must(string path, RestAnswer answer) =>
        answer.Status is >= 200 and < 300 ? answer : throw Refusal(path, answer);
}
