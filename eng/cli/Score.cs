using System.Text.Json;
using System.Xml.Linq;

namespace LocalPlus.Cli;

/// <summary>A test that failed.</summary>
/// <param name="Message">In full.</param>
/// <param name="Next">The command that runs exactly this test.</param>
/// <param name="File">Where more is to be read.</param>
internal sealed record Failure(string Suite, string Name, string Message, string Next, string? File = null);

/// <summary>How many tests passed and failed, and what there is to say about those that failed.</summary>
internal sealed record Score(int Passed, int Failed, IReadOnlyList<Failure> Failures)
{
    public static readonly Score None = new(0, 0, []);

    private static readonly XNamespace Vs = "http://microsoft.com/schemas/VisualStudio/TeamTest/2010";

    public static Score operator +(Score a, Score b) =>
        new(a.Passed + b.Passed, a.Failed + b.Failed, [.. a.Failures, .. b.Failures]);

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
            return new Score(results.Count(r => (string?)r.Attribute("outcome") == "Passed"), failures.Count, failures);
        }
        catch (Exception e) when (e is IOException or System.Xml.XmlException)
        {
            return null;
        }
    }

    /// <summary>The failures that a test driver of ours wrote; none when it did not come so far.</summary>
    public static IReadOnlyList<Failure> OfDriver(string path) =>
        File.Exists(path) ? JsonSerializer.Deserialize<List<Failure>>(File.ReadAllText(path), Checkout.Json) ?? [] : [];
}
