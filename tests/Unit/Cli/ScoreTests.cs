using LocalPlus.Cli;

namespace LocalPlus.Tests.Unit.Cli;

public sealed class ScoreTests
{
    private const string Trx = """
        <TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010">
          <Times start="2026-01-31T12:00:00.0000000+00:00" finish="2026-01-31T12:00:42.0000000+00:00" />
          <Results>
            <UnitTestResult testId="1" testName="Unit.SumTests.Two_and_two" outcome="Passed" duration="00:00:30.2" />
            <UnitTestResult testId="2" testName="Unit.SumTests.Sums(a: &quot;x.y(z)&quot;)" outcome="Failed">
              <Output><ErrorInfo><Message>Expected: 4
        Actual: 5</Message><StackTrace>at SumTests.cs:12</StackTrace></ErrorInfo></Output>
            </UnitTestResult>
          </Results>
          <TestDefinitions>
            <UnitTest id="1"><TestMethod className="Unit.SumTests" name="Two_and_two" /></UnitTest>
            <UnitTest id="2"><TestMethod className="Unit.SumTests" name="Sums" /></UnitTest>
          </TestDefinitions>
        </TestRun>
        """;

    [Fact]
    public void A_failure_has_its_suite_its_whole_message_its_file_and_the_command_that_runs_it()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, Trx);

        var score = Score.OfTrx(file, "unit")!;

        File.Delete(file);
        Assert.Equal((1, 1), (score.Passed, score.Failed));
        var failure = Assert.Single(score.Failures);
        Assert.Equal("unit", failure.Suite);
        Assert.Equal("Unit.SumTests.Sums(a: \"x.y(z)\")", failure.Name);
        Assert.Equal("Expected: 4\nActual: 5\nat SumTests.cs:12", failure.Message.ReplaceLineEndings("\n"));
        Assert.Equal("./localplus test unit --filter FullyQualifiedName~Unit.SumTests.Sums", failure.Next);
        Assert.Equal(file, failure.File);
    }

    [Fact]
    public void The_time_of_a_project_is_told_with_the_classes_that_took_it()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, Trx);

        var score = Score.None + Score.OfTrx(file, "unit")!;

        File.Delete(file);
        Assert.Equal("  unit: 42 s, of these SumTests 30 s", Assert.Single(score.Spent).Line);
    }

    [Fact]
    public void A_program_that_ends_badly_failed_even_if_it_says_otherwise()
    {
        var score = Suites.Closing(
            new CommandResult(1, ["broken", "3 passed, 0 failed"]),
            "conformance",
            "sidecar.suite.mjs",
            "sidecar.log"
        );

        Assert.Equal((3, 1), (score.Passed, score.Failed));
        var failure = Assert.Single(score.Failures);
        Assert.Equal(
            ("conformance", "./localplus test conformance", "sidecar.log"),
            (failure.Suite, failure.Next, failure.File)
        );
        Assert.Contains("broken", failure.Message, StringComparison.Ordinal);
    }
}
