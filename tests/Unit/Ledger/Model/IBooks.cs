using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Tests.Unit.Ledger.Model;

/// <summary>An operation as a caller sends it.</summary>
/// <param name="Body">What the key must always come with.</param>
internal sealed record Request(Operation Operation, string Key, string Body, bool Rehearses);

/// <summary>What a caller learns. Code: null when it was done.</summary>
/// <param name="Text">All of it; equal for equal answers.</param>
internal sealed record Reply(string? Code, TransactionId? Transaction, HoldId? Hold, string Text)
{
    public static Reply Refused(FaultException refusal) =>
        new(refusal.Fault.Code, null, null, $"{refusal.Fault.Code} {refusal.Detail}");

    public static Reply Done(Result result) =>
        result switch
        {
            Result.Posted posted => new(null, posted.Transaction.Id, null, $"posted {posted.Transaction.Id}"),
            Result.Held { Hold: var hold } => new(
                null,
                hold.Progress.TransactionId,
                hold.Id,
                $"hold {hold.Id} {hold.Progress.TransactionId} {hold.Progress.State} {hold.Held}"
            ),
            _ => throw new ArgumentOutOfRangeException(nameof(result)),
        };
}

/// <summary>An account of the world that every run begins with.</summary>
internal sealed record Opening(string Name, string Asset, long? Floor = 0, long? Ceiling = null, bool Striped = false)
{
    public AccountId Id { get; } = AccountId.New(TimeProvider.System);
}

/// <summary>
/// The books under test: in memory (the rules alone) or on PostgreSQL (the command path of the service).
/// </summary>
internal interface IBooks
{
    /// <summary>Whether a key that was used is answered from memory.</summary>
    bool RemembersKeys { get; }

    /// <summary>Opens what the run begins with.</summary>
    Task OpenAsync(MerchantId merchant, IReadOnlyList<Opening> accounts);

    /// <summary>Does the requests in their order, as one batch, at that time.</summary>
    Task<IReadOnlyList<Reply>> RunAsync(IReadOnlyList<Request> batch, DateTimeOffset now);

    Task SetStatusAsync(AccountId account, AccountStatus status);

    Task<BooksState> ReadAsync();
}
