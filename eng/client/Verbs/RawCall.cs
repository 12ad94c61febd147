using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using LocalPlus.Client.Calls;
using LocalPlus.Client.Output;

namespace LocalPlus.Client.Verbs;

/// <summary>Any request, for routes that have no verb.</summary>
internal static class RawCall
{
    private static readonly Argument<string> Method = new Argument<string>("method")
    {
        Description = "GET, POST, PUT, PATCH or DELETE",
    }.AcceptOnlyFromAmong("GET", "POST", "PUT", "PATCH", "DELETE");
    private static readonly Argument<string> Path = new("path") { Description = "as /v1/programs" };
    private static readonly Option<string[]> Filter = new("--filter")
    {
        Description = "name=value of the query, any number of",
        HelpName = "NAME=VALUE",
    };
    private static readonly Option<string> Body = Common.Text(
        "--body",
        "JSON; @FILE reads a file, - standard input",
        "JSON"
    );
    private static readonly Option<string> Version = Common.Text(
        "--if-match",
        "the version that is changed",
        "VERSION"
    );

    public static Command Command()
    {
        var command = new Command("api", "any request to the API").With([
            Method,
            Path,
            Filter,
            Body,
            Version,
            Common.IdempotencyKey,
            Common.DryRun,
            Common.Output,
            .. Common.Caller,
        ]);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult words, CancellationToken cancel)
    {
        var path = words.GetRequiredValue(Path);
        if (!path.StartsWith('/'))
        {
            throw CliFailure.Usage("a path begins with /", "api");
        }

        var method = new HttpMethod(words.GetRequiredValue(Method));
        var isOfOperators = path.StartsWith("/ops/", StringComparison.Ordinal);
        var request = new ApiRequest(method, Query.Of(path, (words.GetValue(Filter) ?? []).Select(Pair)))
        {
            Body = words.GetValue(Body) is { } said ? Read(said) : null,
            Version = words.GetValue(Version),
            IsPersons = isOfOperators,
            IdempotencyKey =
                words.GetValue(Common.IdempotencyKey) ?? (method == HttpMethod.Post ? Guid.NewGuid().ToString() : null),
        };
        using var session = Session.Open(words);
        if (words.GetValue(Common.DryRun))
        {
            ApiWrite.Plan(request, session);
            return ExitCodes.Ok;
        }

        var answer = await session.MustAsync(request, null, cancel);
        if (answer.Body is null && answer.Text.Length > 0)
        {
            Console.Write(answer.Text);
            return ExitCodes.Ok;
        }

        ApiWrite.Print(
            words.GetResult(Common.Output) is null ? OutputFormat.Json : words.GetValue(Common.Output),
            answer
        );
        return ExitCodes.Ok;
    }

    private static (string Name, string Value) Pair(string text) =>
        text.Split('=', 2) is [var name, var value]
            ? (name, value)
            : throw CliFailure.Usage($"--filter takes name=value, not '{text}'", "api");

    private static JsonNode? Read(string said)
    {
        try
        {
            return JsonNode.Parse(
                said switch
                {
                    "-" => Console.In.ReadToEnd(),
                    ['@', .. var file] => File.ReadAllText(file),
                    _ => said,
                }
            );
        }
        catch (JsonException broken)
        {
            throw CliFailure.Usage($"--body is not JSON: {broken.Message}", "api");
        }
        catch (Exception away) when (away is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CliFailure(ExitCodes.NotFound, away.Message, "--body @FILE");
        }
    }
}
