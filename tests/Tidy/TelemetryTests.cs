using System.Text;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Tidy;

/// <summary>
/// docs/reference/telemetry.md is written from the code; LP_GOLDEN=write (./localplus golden tidy) rewrites it.
/// </summary>
public partial class TelemetryTests
{
    private const string Registry = "docs/reference/telemetry.md";

    private const string Head = """
        # Telemetry

        Written from the code by `./localplus golden tidy`; edit the code, not this file.

        Traces, metrics and logs are sent by OTLP to `OTEL_EXPORTER_OTLP_ENDPOINT`. A request is one trace through gateway,
        services, sidecars, SQL, events and the run. Sources are `Microsoft.AspNetCore`, `System.Net.Http`, `Npgsql`,
        `Dapr.Workflow` and those named `LocalPlus.*`. SQL that no request or event causes (polls) has no span. An event is
        published by a span below its cause, and those who take it are below that one. Of a delivery of many events
        each goes on with its publisher's trace and links to the span of the delivery, which has the SQL. A refusal that
        a rule makes is not a span error.

        ![One redemption in the dashboard of up --dashboard](../images/redemption-trace.png)

        What a service prints is JSON, an object a line: `time`, `level`, `event`, `message`, `trace_id`, `span_id`, `fields` and
        `exception`. With `LP_LOG=text`, as `./localplus up` has it, it is lines for people.

        """;

    [Fact]
    public void The_registry_is_what_the_code_says()
    {
        var actual = Head + Instruments() + Events();
        if (Environment.GetEnvironmentVariable("LP_GOLDEN") == "write")
        {
            File.WriteAllText(Path.Combine(Tree.Root, Registry), actual);
        }

        Assert.True(
            Tree.Exists(Registry) && Tree.Read(Registry) == actual,
            $"{Registry} is stale: ./localplus golden tidy"
        );
    }

    [Fact]
    public void Every_service_has_figures_of_its_own()
    {
        var names = All(Instrument()).Select(instrument => instrument.Match.Groups[3].Value).ToArray();
        foreach (
            var service in Directory
                .GetDirectories(Path.Combine(Tree.Root, "services"))
                .Select(folder => Path.GetFileName(folder)!)
                .Where(name => name != "common")
        )
        {
            Assert.Contains(names, name => name.StartsWith($"localplus.{service}.", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Own_instruments_are_named_by_the_conventions()
    {
        foreach (var (file, match) in All(Instrument()))
        {
            var name = match.Groups[3].Value;
            Assert.Matches(@"^localplus(\.[a-z][a-z_]*)+$", name);
            Assert.False(name.EndsWith("_total", StringComparison.Ordinal), $"{file}: {name}");
            Assert.True(match.Groups[4].Success, $"{file}: {name} has no unit");
        }
    }

    /// <summary>
    /// What a log line may carry: ids, names of things of ours, counts, durations. Never a person or a code.
    /// </summary>
    [Fact]
    public void No_log_event_carries_a_person_a_code_or_a_key()
    {
        foreach (var (file, match) in All(Event()))
        {
            foreach (Match parameter in Placeholder().Matches(match.Groups[3].Value))
            {
                Assert.False(Personal().IsMatch(parameter.Groups[1].Value), $"{file}: {parameter.Value} in a log line");
            }
        }
    }

    private static string Instruments()
    {
        var text = new StringBuilder(
            "\n## Metrics\n\nBeside those of ASP.NET Core, HttpClient and Npgsql:\n\n| metric | kind | unit |\n|---|---|---|\n"
        );
        foreach (var (_, match) in All(Instrument()).OrderBy(i => i.Match.Groups[3].Value, StringComparer.Ordinal))
        {
            text.Append(
                $"| `{match.Groups[3].Value}` | {match.Groups[1].Value.Replace("Observable", "", StringComparison.Ordinal).ToLowerInvariant()} | {match.Groups[4].Value} |\n"
            );
        }

        return text.ToString();
    }

    private static string Events()
    {
        var text = new StringBuilder("\n## Log events\n\n| id | level | event | message |\n|---|---|---|---|\n");
        foreach (var (_, match) in All(Event()).OrderBy(e => int.Parse(e.Match.Groups[1].Value)))
        {
            text.Append(
                $"| {match.Groups[1].Value} | {match.Groups[2].Value} | `{match.Groups[4].Value}` | {match.Groups[3].Value.Replace("|", "\\|", StringComparison.Ordinal)} |\n"
            );
        }

        return text.ToString();
    }

    private static IEnumerable<(string File, Match Match)> All(Regex pattern) =>
        from file in Tree.Code("services")
        from Match match in pattern.Matches(Tree.Read(file))
        select (file, match);

    [GeneratedRegex(
        @"\.Create(Counter|Histogram|UpDownCounter|Gauge|ObservableCounter|ObservableGauge|ObservableUpDownCounter)(<\w+>)?\(\s*""([^""]+)""(?:[^;]*?(?:unit: )?""(\{?\w+\}?)"")?"
    )]
    private static partial Regex Instrument();

    [GeneratedRegex(@"LoggerMessage\(\s*(\d+),\s*LogLevel\.(\w+),\s*""([^""]*)"",\s*EventName = ""([^""]+)""")]
    private static partial Regex Event();

    [GeneratedRegex(@"\{(\w+)[^}]*\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex(
        @"(?i)^(e?mail|phone|name of|recipient|address|first_?name|last_?name|pin|secret|password|token|pan|card_?code|key)$"
    )]
    private static partial Regex Personal();
}
