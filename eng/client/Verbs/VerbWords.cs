using System.CommandLine;
using LocalPlus.Client.Catalog;

namespace LocalPlus.Client.Verbs;

/// <summary>The words that a line of the table takes: arguments, filters, fields of the body.</summary>
internal sealed class VerbWords
{
    private readonly ApiVerb _verb;
    private readonly List<(string Name, Argument<string> Word)> _arguments;
    private readonly List<(BodyField Field, Option Word)> _fields;
    private readonly List<(string Name, Option<string> Word)> _shorthands;

    public VerbWords(ApiVerb verb)
    {
        _verb = verb;
        _arguments =
        [
            .. verb.Arguments.Select(name =>
                (name, new Argument<string>(name) { Description = $"{name} of the path" })
            ),
        ];
        _fields = [.. verb.Fields.Select(field => (field, OptionOf(field)))];
        _shorthands =
        [
            .. verb.Shorthands.Select(name => (name, Common.Text($"--{name}", $"as --filter {name}=", "VALUE"))),
        ];
        Filter = new Option<string[]>("--filter")
        {
            Description = $"name=value, any number of: {string.Join(", ", verb.FilterNames)}",
            HelpName = "NAME=VALUE",
            CompletionSources = { verb.FilterNames.Select(name => $"{name}=").ToArray() },
        };
        Service = new Option<string>("--service")
        {
            Description = verb.IsOfOneService ? "whose" : "of this service alone",
            HelpName = "SERVICE",
            Required = verb.IsOfOneService,
        }.AcceptOnlyFromAmong(verb.ServiceNames);
    }

    public Option<string[]> Filter { get; }

    public Option<string> Service { get; }

    /// <summary>At most so many rows.</summary>
    public Option<int?> Limit { get; } =
        new("--limit", "-n")
        {
            Description = $"so many rows, {ApiRead.DefaultRows} when nothing is said",
            HelpName = "N",
            Validators =
            {
                result =>
                {
                    if (result.Tokens is [var token] && !(int.TryParse(token.Value, null, out var n) && n > 0))
                    {
                        result.AddError("--limit takes a number above 0");
                    }
                },
            },
        };

    public Option<bool> All { get; } = new("--all") { Description = $"every row, up to {ApiRead.MaxRows}" };

    /// <summary>Each row whole, as JSON, one a line.</summary>
    public Option<bool> Lines { get; } = new("--json") { Description = "each whole, one a line" };

    public IEnumerable<Argument> Arguments => _arguments.Select(a => a.Word);

    public IEnumerable<Option> Options =>
        [
            .. _verb.HasServices ? [Service] : Array.Empty<Option>(),
            .. _fields.Select(f => f.Word),
            .. _verb.FilterNames.Length > 0 ? [Filter] : Array.Empty<Option>(),
            .. _shorthands.Select(s => s.Word),
            .. _verb.Kind == VerbKind.Pages ? [Limit, All, Lines] : Array.Empty<Option>(),
            .. _verb.Kind == VerbKind.Write ? [Common.DryRun] : Array.Empty<Option>(),
            .. _verb.IsKeyed ? [Common.IdempotencyKey] : Array.Empty<Option>(),
            .. _verb.Kind == VerbKind.File ? [] : new Option[] { Common.Output },
            .. _verb.Kind is VerbKind.Write or VerbKind.File ? [] : new Option[] { Common.Watch, Common.Interval },
            .. Common.Caller,
        ];

    /// <summary>The path with its arguments in place.</summary>
    public string Path(ParseResult words, string? service)
    {
        var path = _verb.Path;
        foreach (var (name, word) in _arguments)
        {
            path = path.Replace(
                $"{{{name}}}",
                Uri.EscapeDataString(words.GetRequiredValue(word)),
                StringComparison.Ordinal
            );
        }

        return service is null ? path : path.Replace(ApiVerb.ServicePart, service, StringComparison.Ordinal);
    }

    /// <summary>
    /// Name and value of each filter; one that the route does not know is a usage failure that says which it does.
    /// </summary>
    public List<(string Name, string Value)> Filters(ParseResult words)
    {
        var filters = new List<(string Name, string Value)>();
        foreach (var text in _verb.FilterNames.Length > 0 ? words.GetValue(Filter) ?? [] : [])
        {
            if (text.Split('=', 2) is not [var name, var value])
            {
                throw CliFailure.Usage($"--filter takes name=value, not '{text}'", _verb.FullName);
            }

            if (!_verb.FilterNames.Contains(name))
            {
                throw CliFailure.Usage(
                    $"there is no filter '{name}'; there are {string.Join(", ", _verb.FilterNames)}",
                    _verb.FullName
                );
            }

            filters.Add((name, value));
        }

        filters.AddRange(
            _shorthands.Where(s => words.GetValue(s.Word) is not null).Select(s => (s.Name, words.GetValue(s.Word)!))
        );
        foreach (var name in _verb.RequiredFilters.Where(name => filters.All(f => f.Name != name)))
        {
            throw CliFailure.Usage($"it needs --filter {name}=VALUE", _verb.FullName);
        }

        return filters;
    }

    /// <summary>Each field that was given.</summary>
    public IEnumerable<(BodyField Field, string Text)> Fields(ParseResult words)
    {
        foreach (var (field, word) in _fields)
        {
            if (word is Option<bool> flag)
            {
                if (words.GetValue(flag))
                {
                    yield return (field, "true");
                }
            }
            else if (words.GetValue((Option<string>)word) is { } text)
            {
                yield return (field, text);
            }
        }
    }

    private static Option OptionOf(BodyField field) =>
        field.Type == "flag"
            ? new Option<bool>(field.Option) { Description = field.Meaning }
            : new Option<string>(field.Option)
            {
                Description = $"{field.Name} of the body{(field.Meaning.Length > 0 ? $": {field.Meaning}" : "")}",
                HelpName = field.Hint,
                Required = field.IsRequired,
            };
}
