using System.CommandLine;

namespace LocalPlus.Cli;

/// <summary>Prints a running service's OpenAPI document.</summary>
internal static class OpenApi
{
    private static readonly Argument<string> Service = new("service")
    {
        Description = string.Join(", ", Checkout.Apps),
        CompletionSources = { Checkout.Apps },
    };

    public static readonly Verb Verb = Verbs.Define("openapi", "a service's OpenAPI document", RunAsync, Service);

    private static async Task<int> RunAsync(Invocation call)
    {
        var app = call.Words.GetRequiredValue(Service);
        if (!Checkout.Apps.Contains(app))
        {
            throw new CliFailure(
                ExitCodes.NotFound,
                $"there is no service '{app}'",
                $"one of: {string.Join(", ", Checkout.Apps)}"
            );
        }

        var state = StackState.RunningOrFail(call.Checkout);
        using var http = new HttpClient();
        try
        {
            Terminal.Say(
                await http.GetStringAsync($"http://127.0.0.1:{state.Ports.Public(app)}/openapi/v1.json", call.Cancel)
            );
            return ExitCodes.Ok;
        }
        catch (HttpRequestException e)
        {
            throw new CliFailure(ExitCodes.Unavailable, $"{app}: {e.Message}", "./localplus status");
        }
    }
}
