using System.CommandLine;
using System.Text.Json.Nodes;
using LocalPlus.Client.Calls;
using LocalPlus.Client.Catalog;
using LocalPlus.Client.Output;

namespace LocalPlus.Client.Verbs;

/// <summary>Verbs that read: lists, objects, files.</summary>
internal static class ApiRead
{
    public const int DefaultRows = 50;

    /// <summary>More than that is for an export, not for pages.</summary>
    public const int MaxRows = 10_000;

    /// <summary>The largest page that the API gives.</summary>
    private const int PageRows = 200;

    private const string ServiceColumn = "service";

    public static async Task<int> RunAsync(ApiVerb verb, VerbWords words, ParseResult result, CancellationToken cancel)
    {
        using var session = Session.Open(result);
        var read = new Reading(verb, words, result, session);
        if (verb.Kind == VerbKind.File)
        {
            var request = read.Request(words.Path(result, null), words.Filters(result));
            Console.Write((await session.MustAsync(request, verb, cancel)).Text);
            return ExitCodes.Ok;
        }

        return result.GetValue(Common.Watch)
            ? await Watching.RunAsync(token => OnceAsync(read, token), result.GetValue(Common.Interval), cancel)
            : await OnceAsync(read, cancel);
    }

    private static Task<int> OnceAsync(Reading read, CancellationToken cancel) =>
        read.Verb switch
        {
            { Kind: VerbKind.Show, HasServices: false } or { Kind: VerbKind.Show, IsOfOneService: true } => ShowAsync(
                read,
                cancel
            ),
            { HasServices: true } => EverywhereAsync(read, cancel),
            _ => ListAsync(read, cancel),
        };

    private static async Task<int> ShowAsync(Reading read, CancellationToken cancel)
    {
        var request = read.Request(read.Words.Path(read.Result, read.Service), read.Words.Filters(read.Result));
        var answer = await read.Session.MustAsync(request, read.Verb, cancel);
        Printer.Show(read.Format, answer.Text, answer.Body as JsonObject ?? []);
        return ExitCodes.Ok;
    }

    private static async Task<int> ListAsync(Reading read, CancellationToken cancel)
    {
        var list = await PagesAsync(read, read.Words.Path(read.Result, null), cancel);
        Printer.Rows(read.Format, list.Body, list.Rows, read.Verb.ColumnsOfTable);
        return More(read, list.HasMore);
    }

    /// <summary>
    /// The same list of several services as one; a service that does not answer is named, and the others are shown.
    /// </summary>
    private static async Task<int> EverywhereAsync(Reading read, CancellationToken cancel)
    {
        string[] services = read.Service is { } one ? [one] : read.Verb.ServiceNames;
        var rows = new List<JsonObject>();
        var failures = new List<CliFailure>();
        var hasMore = false;
        foreach (var service in services)
        {
            try
            {
                var list = await PagesAsync(read, read.Words.Path(read.Result, service), cancel);
                rows.AddRange(list.Rows.Select(row => Of(service, row)));
                hasMore |= list.HasMore;
            }
            catch (CliFailure away) when (away.ExitCode == ExitCodes.Unavailable)
            {
                failures.Add(away);
            }
        }

        if (failures.Count == services.Length)
        {
            throw failures[0];
        }

        var body = new JsonObject { ["data"] = new JsonArray([.. rows.Select(row => row.DeepClone())]) };
        Printer.Rows(
            read.Format,
            body.ToJsonString(),
            rows,
            [new Column(ServiceColumn, false), .. read.Verb.ColumnsOfTable]
        );
        failures.ForEach(Terminal.Failure);
        return failures.Count > 0 ? ExitCodes.Unavailable : More(read, hasMore);
    }

    private static JsonObject Of(string service, JsonObject row)
    {
        var named = new JsonObject { [ServiceColumn] = service };
        foreach (var (name, value) in row)
        {
            named[name] = value?.DeepClone();
        }

        return named;
    }

    /// <summary>As many rows as were asked for, page after page.</summary>
    private static async Task<Listed> PagesAsync(Reading read, string path, CancellationToken cancel)
    {
        var filters = read.Words.Filters(read.Result);
        if (read.Verb.Kind != VerbKind.Pages)
        {
            var all = await read.Session.MustAsync(read.Request(path, filters), read.Verb, cancel);
            return new Listed(all.Text, read.Verb.Kind == VerbKind.Show ? [(JsonObject)all.Body!] : Data(all), false);
        }

        var rows = new List<JsonObject>();
        string? cursor = null;
        string? only = null;
        bool hasMore;
        do
        {
            var page = await read.Session.MustAsync(
                read.Request(
                    path,
                    [
                        .. filters,
                        ("limit", Math.Min(read.Wanted - rows.Count, PageRows).ToString()),
                        .. cursor is null ? Array.Empty<(string, string)>() : [("cursor", cursor)],
                    ]
                ),
                read.Verb,
                cancel
            );
            only = cursor is null ? page.Text : null;
            rows.AddRange(Data(page));
            hasMore = page.Body?["has_more"]?.GetValue<bool>() == true;
            cursor = page.Body?["next_cursor"]?.ToString();
        } while (hasMore && cursor is not null && rows.Count < read.Wanted);

        // One page is printed as it came, several as one.
        return new Listed(only ?? Joined(rows, hasMore, cursor), rows, hasMore);
    }

    private static string Joined(List<JsonObject> rows, bool hasMore, string? cursor) =>
        new JsonObject
        {
            ["data"] = new JsonArray([.. rows.Select(row => row.DeepClone())]),
            ["next_cursor"] = cursor,
            ["has_more"] = hasMore,
        }.ToJsonString();

    private static List<JsonObject> Data(ApiAnswer answer) =>
        [.. (answer.Body?["data"] as JsonArray ?? []).OfType<JsonObject>()];

    /// <summary>Whoever asked for everything and did not get it is told so by the exit code as well.</summary>
    private static int More(Reading read, bool hasMore)
    {
        if (!hasMore)
        {
            return ExitCodes.Ok;
        }

        if (read.WantsAll)
        {
            throw new CliFailure(ExitCodes.Failed, $"there are more than {MaxRows} rows", "narrow them with --filter");
        }

        Terminal.Note($"there are more: --all, or --limit above {read.Wanted}");
        return ExitCodes.Ok;
    }

    private sealed record Listed(string Body, IReadOnlyList<JsonObject> Rows, bool HasMore);

    /// <summary>One call of a verb that reads.</summary>
    private sealed record Reading(ApiVerb Verb, VerbWords Words, ParseResult Result, Session Session)
    {
        public string? Service => Verb.HasServices ? Result.GetValue(Words.Service) : null;

        public bool WantsAll => Result.GetValue(Words.All);

        public int Wanted => WantsAll ? MaxRows : Math.Min(Result.GetValue(Words.Limit) ?? DefaultRows, MaxRows);

        public OutputFormat Format =>
            Verb.Kind == VerbKind.Pages && Result.GetValue(Words.Lines)
                ? OutputFormat.Lines
                : Result.GetValue(Common.Output);

        public ApiRequest Request(string path, IEnumerable<(string Name, string Value)> query) =>
            new(HttpMethod.Get, Query.Of(path, query)) { IsPersons = Verb.IsOfOperators };
    }
}
