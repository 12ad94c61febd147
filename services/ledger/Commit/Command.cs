using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using LocalPlus.Hosting;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Ledger.Commit;

/// <summary>An operation on its way through the queue, with the key that makes it happen once.</summary>
/// <param name="operation">What to do.</param>
/// <param name="door">Writes the answer.</param>
/// <param name="key">The idempotency key; null for work of the ledger's own that its state makes idempotent.</param>
/// <param name="fingerprint">What the key must always come with; null without a key.</param>
internal sealed class Command(Operation operation, Door door, string? key, Fingerprint? fingerprint)
{
    private readonly DateTimeOffset? madeAt = key is null ? null : KeyFile.MadeAt(key);
    private readonly TaskCompletionSource<Answer> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Operation Operation { get; } = operation;

    public Door Door { get; } = door;

    /// <summary>Answer what would happen, and change nothing.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>One of many that came in one request.</summary>
    public bool IsOfBulk { get; init; }

    /// <summary>Whether it queues with the bulks and dry runs rather than with the tills.</summary>
    public bool IsHeap => IsDryRun || IsOfBulk || Operation.Weight > 1;

    /// <summary>Its caller waits no longer.</summary>
    public CancellationToken GivenUp { get; set; }

    public bool IsKeyed => Fingerprint is not null;

    /// <summary>What the key is stored under: half of SHA-256 over merchant, door, operation and key.</summary>
    public Guid AnswerId { get; } = key is null ? default : Scope(operation, door, key);

    /// <summary>Where the answer is filed and looked for, of a batch's time.</summary>
    public KeyFile File { get; private set; }

    public Fingerprint? Fingerprint { get; } = fingerprint;

    /// <summary>The caller's trace, which the batch links to and the events go on with.</summary>
    public ActivityContext Trace { get; } = Activity.Current?.Context ?? default;

    public string? Traceparent { get; } = Activity.Current?.Id;

    public Task<Answer> Completion => done.Task;

    public long QueuedAt { get; set; }

    /// <summary>Settles, as of now, where its answer is looked for and will be filed.</summary>
    public void FileAt(DateTimeOffset now) => File = KeyFile.Of(madeAt, now);

    public void Complete(Answer answer) => done.TrySetResult(answer);

    public void Fail(Exception exception) => done.TrySetException(exception);

    private static Guid Scope(Operation operation, Door door, string key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(
            Encoding.UTF8.GetBytes($"{operation.MerchantId.Value:N}\n{door.Name}\n{operation.Name}\n{key}"),
            hash
        );
        return new Guid(hash[..16], bigEndian: true);
    }
}
