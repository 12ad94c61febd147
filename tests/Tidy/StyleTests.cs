using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Tidy;

/// <summary>One dialect. What was there before a rule is in a list that shrinks (<see cref="Allowance"/>).</summary>
public partial class StyleTests
{
    private const int Columns = 120;
    private const int RowWidth = 16;

    /// <summary>HandleAsync, or VerbAsync where one file has several verbs of one object.</summary>
    [Fact]
    public void What_an_endpoint_runs_is_called_HandleAsync() =>
        Tree.Holds(
            Places(Handler(), m => !m.Groups[1].Value.EndsWith("Async", StringComparison.Ordinal)).Select(p => p.Place)
        );

    /// <summary>So that a group of endpoints reads as one sentence.</summary>
    [Fact]
    public void A_method_that_maps_endpoints_returns_its_group() =>
        Tree.Holds(Places(MapMethod(), m => m.Groups[1].Value == "void").Select(p => p.Place));

    /// <summary>A name says what a thing is to somebody who has read no glossary.</summary>
    [Fact]
    public void A_type_has_a_plain_name() => Allowance.Holds("metaphors", Places(Metaphor(), _ => true));

    /// <summary>So that a lot's id can not be passed where an account's is meant.</summary>
    [Fact]
    public void An_id_in_a_record_has_its_own_type()
    {
        var files = Tree.Code("services").ToArray();
        var kinds = files
            .SelectMany(file => IdKind().Matches(Tree.Read(file)))
            .Select(kind => kind.Groups[1].Value)
            .ToArray();
        Tree.Holds(
            from file in files
            from Match record in RecordMembers().Matches(Tree.Read(file))
            from Match member in PlainMember().Matches(record.Groups[1].Value)
            where kinds.Any(kind => member.Groups[1].Value.EndsWith(kind, StringComparison.Ordinal))
            select $"{file}: {member.Value}"
        );
    }

    /// <summary>More than one can keep in mind: what belongs together is a part of its own.</summary>
    [Fact]
    public void A_row_and_each_of_its_parts_has_at_most_16_members() =>
        Tree.Holds(
            from file in Tree.Code("services")
            from Match row in RowMembers().Matches(Tree.Read(file))
            let members = Inner().Replace(row.Groups[2].Value, "").Split(',')
            where members.Length > RowWidth
            select $"  {file}: {row.Groups[1].Value} with {members.Length} members"
        );

    /// <summary>On a busy machine it would refuse what it takes on another: NonBacktracking needs no clock.</summary>
    [Fact]
    public void Fault_24_No_pattern_gives_up_by_the_clock() =>
        Tree.Holds(
            from file in Tree.Code("services", "workflows")
            where Tree.Read(file).Contains("matchTimeout", StringComparison.OrdinalIgnoreCase)
            select $"  {file}: a pattern with a time limit"
        );

    [Fact]
    public void A_line_has_at_most_120_columns() =>
        Allowance.Holds(
            "columns",
            from file in Tree.Code()
            from line in Tree.Lines(file)
            where line.Length > Columns
            select (file, $"  {file}: {line.Trim()}")
        );

    private static IEnumerable<(string File, string Place)> Places(Regex pattern, Func<Match, bool> offends) =>
        from file in Tree.Code("services", "workflows")
        from Match match in pattern.Matches(Tree.Read(file))
        where offends(match)
        select (file, $"  {file}: {match.Value.Trim()}");

    [GeneratedRegex(@"\.Map(?:Get|Post|Put|Patch|Delete)\(\s*\$?""[^""]*"",\s*([A-Za-z]\w*)\)")]
    private static partial Regex Handler();

    [GeneratedRegex(@"static (\w+) Map\w+(?:<\w+>)?\(\s*this (?:RouteGroupBuilder|IEndpointRouteBuilder)\b")]
    private static partial Regex MapMethod();

    [GeneratedRegex(@"\b(?:class|record|struct|interface|enum) \w*(?:Desk|Deed|Till|Book)(?:s|[A-Z]\w*)?\b")]
    private static partial Regex Metaphor();

    [GeneratedRegex(@"\brecord struct (\w+Id)\(Guid Value\)")]
    private static partial Regex IdKind();

    [GeneratedRegex(@"\brecord (?:struct )?\w+(?:<[^>]*>)?\(([^;{]*?)\)\s*[;{:]")]
    private static partial Regex RecordMembers();

    [GeneratedRegex(@"\brecord (?:struct )?(\w*(?:Row|Part))\(([^;{]*?)\)\s*[;{:]")]
    private static partial Regex RowMembers();

    /// <summary>What has commas of its own: type arguments and tuples.</summary>
    [GeneratedRegex(@"<[^<>]*>|\([^()]*\)")]
    private static partial Regex Inner();

    [GeneratedRegex(@"\bGuid\?? (\w+)")]
    private static partial Regex PlainMember();
}
