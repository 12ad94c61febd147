using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;

namespace LocalPlus.Cli;

/// <summary>A test that failed.</summary>
/// <param name="Message">In full.</param>
/// <param name="Next">The command that runs exactly this test.</param>
/// <param name="File">Where more is to be read.</param>
internal sealed record Failure(string Suite, string Name, string Message, string Next, string? File = null);

/// <summary>Where a project's time went: on the clock, and by test class, the longest first.</summary>
/// <param name="Classes">Classes run side by side, so their times add up to more than the clock's.</param>
internal sealed record Spent(string Suite, TimeSpan Clock, IReadOnlyList<(string Class, TimeSpan Time)> Classes)
{
    private const int Named = 4;
    private static readonly TimeSpan Worth = TimeSpan.FromSeconds(10);

    /// <summary>A line for the project, or nothing when it was short.</summary>
    public string? Line =>
        Clock < Worth
            ? null
            : $"  {Suite}: {Seconds(Clock)}, of these {string.Join(", ", Classes.Take(Named).Select(Told))}";

    private static string Told((string Class, TimeSpan Time) spent) => $"{spent.Class} {Seconds(spent.Time)}";

    private static string Seconds(TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s");
}

/// <summary>How many tests passed and failed, and what there is to say about those that failed.</summary>
internal sealed record Score(int Passed, int Failed, IReadOnlyList<Failure> Failures)
{
    public static readonly Score None = new(0, 0, []);

    public IReadOnlyList<Spent> Spent { get; private init; } = [];

    private static readonly XNamespace Vs = "http://microsoft.com/schemas/VisualStudio/TeamTest/2010";

    public static Score operator +(Score a, Score b) =>
        new(a.Passed + b.Passed, a.Failed + b.Failed, [.. a.Failures, .. b.Failures])
        {
            Spent = [.. a.Spent, .. b.Spent],
        };

    public static Score FailedOnce(Failure failure) => new(0, 1, [failure]);

    /// <summary>Visual Studio's result file; null when it is absent or torn.</summary>
    public static Score? OfTrx(string path, string suite)
    {
        try
        {
            var document = XDocument.Load(path);
            var methods = document
                .Descendants(Vs + "UnitTest")
                .ToDictionary(
                    t => (string)t.Attribute("id")!,
                    t => t.Element(Vs + "TestMethod")!,
                    StringComparer.Ordinal
                );
            var results = document.Descendants(Vs + "UnitTestResult").ToList();
            var failures = results
                .Where(r => (string?)r.Attribute("outcome") == "Failed")
                .Select(r =>
                {
                    var method = methods[(string)r.Attribute("testId")!];
                    // A row of a theory has its values behind the method's name; a filter takes all rows.
                    var called = ((string?)method.Attribute("name"))?.Split('(')[0].Split('.')[^1];
                    var name = $"{(string?)method.Attribute("className")}.{called}";
                    var message = string.Join(
                        '\n',
                        r.Descendants(Vs + "Message")
                            .Concat(r.Descendants(Vs + "StackTrace"))
                            .Select(e => e.Value.Trim())
                    );
                    return new Failure(
                        suite,
                        (string?)r.Attribute("testName") ?? name,
                        message,
                        $"./localplus test {suite} --filter FullyQualifiedName~{name}",
                        path
                    );
                })
                .ToList();
            var times = document.Descendants(Vs + "Times").First();
            return new Score(results.Count(r => (string?)r.Attribute("outcome") == "Passed"), failures.Count, failures)
            {
                Spent =
                [
                    new(
                        suite,
                        (DateTimeOffset)times.Attribute("finish")! - (DateTimeOffset)times.Attribute("start")!,
                        [
                            .. results
                                .GroupBy(r => ClassOf(methods[(string)r.Attribute("testId")!]))
                                .Select(c => (c.Key, c.Aggregate(TimeSpan.Zero, (sum, r) => sum + DurationOf(r))))
                                .OrderByDescending(c => c.Item2),
                        ]
                    ),
                ],
            };
        }
        catch (Exception e) when (e is IOException or System.Xml.XmlException)
        {
            return null;
        }
    }

    /// <summary>Without its namespace.</summary>
    private static string ClassOf(XElement method) => ((string)method.Attribute("className")!).Split('.')[^1];

    private static TimeSpan DurationOf(XElement result) =>
        TimeSpan.TryParse((string?)result.Attribute("duration"), CultureInfo.InvariantCulture, out var time)
            ? time
            : TimeSpan.Zero;

    /// <summary>The failures that a test driver of ours wrote; none when it did not come so far.</summary>
    public static IReadOnlyList<Failure> OfDriver(string path) =>
        File.Exists(path) ? JsonSerializer.Deserialize<List<Failure>>(File.ReadAllText(path), Checkout.Json) ?? [] : [];
}
