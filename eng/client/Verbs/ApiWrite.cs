using System.CommandLine;
using System.Text.Json.Nodes;
using LocalPlus.Client.Calls;
using LocalPlus.Client.Catalog;
using LocalPlus.Client.Output;

namespace LocalPlus.Client.Verbs;

/// <summary>Verbs that change something.</summary>
internal static class ApiWrite
{
    public static async Task<int> RunAsync(ApiVerb verb, VerbWords words, ParseResult result, CancellationToken cancel)
    {
        var isDry = result.GetValue(Common.DryRun);
        var body = Body(verb, words, result);
        if (isDry && verb.DryRunField is { } field)
        {
            body![field] = true;
        }

        var service = verb.HasServices ? result.GetValue(words.Service) : null;
        var request = new ApiRequest(
            new HttpMethod(verb.Method),
            Query.Of(words.Path(result, service), words.Filters(result))
        )
        {
            Body = body,
            IsPersons = verb.IsOfOperators,
            IdempotencyKey = verb.IsKeyed ? result.GetValue(Common.IdempotencyKey) ?? Guid.NewGuid().ToString() : null,
        };
        using var session = Session.Open(result);
        if (isDry && verb.DryRunField is null)
        {
            Plan(request, session);
            return ExitCodes.Ok;
        }

        var answer = await session.MustAsync(request, verb, cancel);
        Print(result.GetValue(Common.Output), answer);
        return ExitCodes.Ok;
    }

    /// <summary>What would be sent.</summary>
    public static void Plan(ApiRequest request, Session session)
    {
        Terminal.Note("nothing was sent; this would be:");
        Console.WriteLine($"{request.Method} {new Uri(session.Address, request.Path)}");
        if (request.IdempotencyKey is { } key)
        {
            Console.WriteLine($"Idempotency-Key: {key}");
        }

        if (request.Body is { } body)
        {
            Printer.Json(body.ToJsonString());
        }
    }

    /// <summary>What came of it: an object, a list, or nothing but that it was done.</summary>
    public static void Print(OutputFormat format, ApiAnswer answer)
    {
        switch (answer.Body)
        {
            case null:
                Terminal.Note("done");
                break;
            case JsonObject { Count: 1 } list when list["data"] is JsonArray rows:
                Printer.Rows(format, answer.Text, [.. rows.OfType<JsonObject>()], []);
                break;
            case JsonObject shown:
                Printer.Show(format, answer.Text, shown);
                break;
            default:
                Printer.Json(answer.Text);
                break;
        }
    }

    private static JsonObject? Body(ApiVerb verb, VerbWords words, ParseResult result)
    {
        var body = new JsonObject();
        foreach (var (field, text) in words.Fields(result))
        {
            var said = field.Type == "secret" && text == "-" ? Console.In.ReadLine() ?? "" : text;
            body[field.Name] = field.Value(said, verb.FullName);
        }

        // An empty body is sent where there could be one: routes whose body may be absent take it as well.
        return verb.Method == "POST" && (body.Count > 0 || verb.HasEmptyBody) ? body : null;
    }
}
