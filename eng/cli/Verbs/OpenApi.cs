namespace LocalPlus.Cli;

/// <summary>Prints a running service's OpenAPI document.</summary>
internal static class OpenApi
{
    public static readonly Verb Verb = new("openapi", "openapi SERVICE", "a service's OpenAPI document", RunAsync);

    private static async Task<int> RunAsync(Invocation call)
    {
        if (call.Arguments.Positions is not [var app])
        {
            throw CliFailure.Usage("say which service", "openapi");
        }

        if (!Checkout.Apps.Contains(app))
        {
            throw new CliFailure(ExitCodes.NotFound, $"there is no service '{app}'", $"one of: {string.Join(", ", Checkout.Apps)}");
        }

        var state = StackState.RunningOrFail(call.Checkout);
        using var http = new HttpClient();
        try
        {
            Terminal.Say(await http.GetStringAsync($"http://127.0.0.1:{state.Ports.Public(app)}/openapi/v1.json", call.Cancel));
            return ExitCodes.Ok;
        }
        catch (HttpRequestException e)
        {
            throw new CliFailure(ExitCodes.Unavailable, $"{app}: {e.Message}", "./localplus status");
        }
    }
}
