using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Tidy;

public partial class MoneyTests
{
    /// <summary>Where a double is a duration or a rate: telemetry, logs of elapsed time, limits by time.</summary>
    private static readonly string[] Measuring =
    [
        "AdmissionLimits.cs",
        "AdmissionMetrics.cs",
        "CacheMetrics.cs",
        "EventMetrics.cs",
        "FairAdmission.cs",
        "Log.cs",
        "ServiceBound.cs",
        "TaskMetrics.cs",
        "Telemetry.cs",
        "TelemetrySummary.cs",
    ];

    [Fact]
    public void Money_and_points_are_integers_in_code() =>
        Tree.Holds(
            Tree.Offences(Tree.Code("services", "workflows"), line => FractionalMoney().IsMatch(WithoutComment(line)))
        );

    [Fact]
    public void A_double_measures_time_and_nothing_else() =>
        Tree.Holds(
            Tree.Offences(
                Tree.Code("services", "workflows").Where(f => !Measuring.Contains(Path.GetFileName(f))),
                line => Double().IsMatch(WithoutComment(line))
            )
        );

    [Fact]
    public void No_column_holds_a_fraction() =>
        Tree.Holds(
            Tree.Offences(
                Tree.Under("services").Where(f => f.EndsWith(".sql", StringComparison.Ordinal)),
                line => FractionalColumn().IsMatch(line)
            )
        );

    [Fact]
    public void No_contract_has_a_fractional_number()
    {
        Tree.Holds(
            Tree.Offences(
                Tree.Under("contracts").Where(f => f.EndsWith(".proto", StringComparison.Ordinal)),
                line => FractionalField().IsMatch(line)
            )
        );
        Tree.Holds(
            Tree.Offences(
                Tree.Under("contracts/events").Where(f => f.EndsWith(".json", StringComparison.Ordinal)),
                line => line.Contains("\"type\": \"number\"", StringComparison.Ordinal)
            )
        );
    }

    private static string WithoutComment(string line)
    {
        var comment = line.IndexOf("//", StringComparison.Ordinal);
        return comment < 0 ? line : line[..comment];
    }

    [GeneratedRegex(@"\b(decimal|float|Decimal|Single|Half)\b(?! *\()")]
    private static partial Regex FractionalMoney();

    [GeneratedRegex(@"\bdouble\b")]
    private static partial Regex Double();

    [GeneratedRegex(
        @"(?i)\b(numeric|decimal|real|double\s+precision|float[48]?|money)\b(?=[\s,(;]*(not null|default|check|,|\(|$))"
    )]
    private static partial Regex FractionalColumn();

    [GeneratedRegex(@"^\s*(optional |repeated )?(double|float) ")]
    private static partial Regex FractionalField();
}
