using LocalPlus.Tests.Unit.Ledger.Model;

namespace LocalPlus.Tests.Unit.Ledger.Mutants;

/// <summary>As many runs of the model as it takes to notice a changed rule.</summary>
internal static class ModelSample
{
    private const int Runs = 150;
    private const int Steps = 60;

    public static void Check() => Run.Check(() => new MemoryBooks(), Runs, Steps);
}
