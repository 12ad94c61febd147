using System.Diagnostics;
using System.Security.Cryptography;
using Google.Protobuf;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Core;

/// <summary>What became of a command: a response message, or the refusal that is answered to every repeat as well.</summary>
internal sealed record Outcome(byte[] Answer, Fault? Fault = null)
{
    public IReadOnlyDictionary<string, object?>? Extensions { get; init; }

    public FaultException ToException() => new(Fault!, System.Text.Encoding.UTF8.GetString(Answer)) { Extensions = Extensions };
}

/// <summary>
/// Something to be done to the books, idempotent on merchant, operation and key. It names what must be locked for it and
/// then decides, against the locked rows, in <see cref="Apply"/>: either it changes the book and answers, or it throws a
/// <see cref="FaultException"/> and has changed nothing.
/// </summary>
internal abstract class Command(Guid merchantId, string operation, string key, IMessage request)
{
    private readonly TaskCompletionSource<Outcome> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Guid MerchantId { get; } = merchantId;

    public string Operation { get; } = operation;

    public string Key { get; } = key;

    public byte[] Fingerprint { get; } = SHA256.HashData(request.ToByteArray());

    /// <summary>The caller's trace, which the batch and the events go on with.</summary>
    public ActivityContext Trace { get; } = Activity.Current?.Context ?? default;

    public string? Traceparent { get; } = Activity.Current?.Id;

    /// <summary>Accounts to lock; the accounts of the holds and transactions below come by themselves.</summary>
    public virtual IEnumerable<Guid> AccountIds => [];

    public virtual Guid? HoldId => null;

    public virtual Guid? TransactionId => null;

    /// <summary>References this command needs to be new: "t:" for transactions, "h:" for holds.</summary>
    public virtual IEnumerable<string> References => [];

    public Task<Outcome> Completion => done.Task;

    public abstract IMessage Apply(Book book);

    public void Complete(Outcome outcome) => done.TrySetResult(outcome);

    public void Fail(Exception exception) => done.TrySetException(exception);
}
