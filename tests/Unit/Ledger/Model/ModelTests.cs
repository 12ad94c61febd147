using LocalPlus.Tests.Unit.Ledger.Support;

namespace LocalPlus.Tests.Unit.Ledger.Model;

/// <summary>
/// The posting rules in memory against a naive ledger, with the six invariants after every operation.
/// </summary>
public sealed class ModelTests
{
    private const int Steps = 60;

    [Fact]
    public void The_rules_come_to_what_a_naive_ledger_comes_to_and_keep_the_six_invariants() =>
        Run.Check(() => new MemoryBooks(), LongRun.Of(500, 10_000), Steps);
}
