using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Ledger.Commit;

/// <summary>
/// Where a command came in: it writes what became of it, as the bytes that are stored and replayed. REST and gRPC share
/// the rules and the codes and nothing else, so a key used at one door is not known at the other.
/// </summary>
internal abstract class Door
{
    /// <summary>Part of the idempotency key's scope.</summary>
    public abstract string Name { get; }

    public abstract Answer Write(Result result);

    public abstract Answer Refuse(FaultException refusal);
}
