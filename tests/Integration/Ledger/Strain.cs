namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>Tests that take servers away or all of the machine: one at a time, with nobody beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Strain
{
    public const string Name = "Ledger under strain";
}
