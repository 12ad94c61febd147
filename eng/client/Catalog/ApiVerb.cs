using LocalPlus.Client.Output;

namespace LocalPlus.Client.Catalog;

/// <summary>What a verb does with the answer.</summary>
internal enum VerbKind
{
    /// <summary>GET of pages: `data`, `has_more`, `next_cursor`.</summary>
    Pages,

    /// <summary>GET of all there is: `data` alone.</summary>
    Rows,

    /// <summary>GET of one object.</summary>
    Show,

    /// <summary>GET of a text (CSV, lines of JSON, SVG), which is printed as it comes.</summary>
    File,

    /// <summary>POST or DELETE.</summary>
    Write,
}

/// <summary>
/// A verb on the API, a line of the table. What it says of the route (method, path, parameters, fields, columns) is
/// held against contracts/openapi and contracts/access.csv by a test.
/// </summary>
/// <param name="Route">Method and path template; {service} stands for each of <see cref="Services"/>.</param>
/// <param name="Needs">A scope of a merchant's key, or the role of an operator.</param>
internal sealed record ApiVerb(VerbKind Kind, string Noun, string Name, string Route, string Needs, string Summary)
{
    public const string ServicePart = "{service}";
    private const string EmptyBody = "{}";

    /// <summary>
    /// Query parameters that --filter knows, but for limit and cursor; with ! when the route needs it.
    /// </summary>
    public string Filters { get; init; } = "";

    /// <summary>What the table shows of each row, as paths into it; nothing: all of it.</summary>
    public string Columns { get; init; } = "";

    /// <summary>
    /// Fields of the body, see <see cref="BodyField"/>; begins with {} where there has to be a body that may say
    /// nothing.
    /// </summary>
    public string Body { get; init; } = "";

    /// <summary>The services that have the route.</summary>
    public string Services { get; init; } = "";

    /// <summary>Filters that are options as well: `--type X` is `--filter type=X`.</summary>
    public string[] Shorthands { get; init; } = [];

    /// <summary>The route takes an Idempotency-Key.</summary>
    public bool IsKeyed { get; init; }

    /// <summary>It is refused to whoever has not signed in lately.</summary>
    public bool IsDangerous { get; init; }

    /// <summary>A field of the body by which the API only says what it would do.</summary>
    public string? DryRunField { get; init; }

    public string Method => Route[..Route.IndexOf(' ', StringComparison.Ordinal)];

    public string Path => Route[(Route.IndexOf(' ', StringComparison.Ordinal) + 1)..];

    /// <summary>A person's sign-in is asked for, whatever key there is.</summary>
    public bool IsOfOperators => !Needs.Contains(':', StringComparison.Ordinal);

    /// <summary>What has to be named: the parts of the path in braces, but for the service.</summary>
    public IEnumerable<string> Arguments =>
        Path.Split('/').Where(part => part.StartsWith('{') && part != ServicePart).Select(part => part.Trim('{', '}'));

    public bool HasServices => Services.Length > 0;

    /// <summary>One service has to be named: an id means something there alone.</summary>
    public bool IsOfOneService => HasServices && (Kind == VerbKind.Write || Arguments.Any());

    public string[] FilterNames => [.. Words(Filters).Select(name => name.TrimEnd('!'))];

    public string[] RequiredFilters => [.. Words(Filters).Where(n => n.EndsWith('!')).Select(n => n.TrimEnd('!'))];

    public Column[] ColumnsOfTable => [.. Words(Columns).Select(Column.Parse)];

    public string[] ServiceNames => Words(Services);

    public IEnumerable<BodyField> Fields => Words(Body).Where(word => word != EmptyBody).Select(BodyField.Parse);

    public bool HasEmptyBody => Body.StartsWith(EmptyBody, StringComparison.Ordinal);

    /// <summary>The first of two words of its name; null: it has one.</summary>
    public string? GroupName => Name.Split(' ') is [var group, _] ? group : null;

    /// <summary>Its name within its group.</summary>
    public string LastName => Name[(Name.IndexOf(' ', StringComparison.Ordinal) + 1)..];

    /// <summary>The words after the program's name.</summary>
    public string FullName => $"{Noun} {Name}";

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
