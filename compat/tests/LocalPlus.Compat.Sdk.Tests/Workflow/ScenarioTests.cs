using System.Reflection;
using Xunit;

namespace LocalPlus.Compat.Sdk.Tests.Workflow;

public sealed class ScenarioTests
{
    private static readonly Dictionary<string, string[]> Scenarios = Read();

    public static TheoryData<string> Names => [.. Scenarios.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_worker_answers_each_turn_as_recorded(string scenario)
    {
        var run = new Run();
        foreach (var turn in Scenarios[scenario])
        {
            var sides = turn.Split(" -> ");
            Assert.Equal($"{sides[0]} -> {sides[1]}", $"{sides[0]} -> {await run.TurnAsync(sides[0])}");
        }
    }

    private static Dictionary<string, string[]> Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("scenarios.txt")!;
        using var reader = new StreamReader(stream);
        var lines = reader.ReadToEnd().Split('\n').Where(line => !line.StartsWith('#'));
        return string.Join('\n', lines)
            .Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(paragraph => paragraph.Split('\n'))
            .ToDictionary(paragraph => paragraph[0], paragraph => paragraph[1..]);
    }
}
