using Google.Protobuf.WellKnownTypes;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Accounts;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Entries;
using LocalPlus.Ledger.Operations;
using LocalPlus.Ledger.Transactions;
using Proto = LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Ledger.Grpc;

/// <summary>Writes the contract's messages.</summary>
internal static class Messages
{
    public static Proto.PostTransactionResponse Response(Transaction transaction)
    {
        var message = new Proto.Transaction
        {
            TransactionId = transaction.Id.ToString(),
            MerchantId = transaction.MerchantId.ToString(),
            Reference = transaction.Header.Reference ?? "",
            Kind = transaction.Header.Kind,
            EffectiveAt = transaction.EffectiveAt.ToTimestamp(),
            RecordedAt = transaction.RecordedAt.ToTimestamp(),
            ReversesTransactionId = transaction.Reverses?.ToString() ?? "",
            HoldId = transaction.HoldId?.ToString() ?? "",
        };
        message.Postings.AddRange(
            transaction.Postings.Select(p => new Proto.Posting
            {
                SourceAccountId = p.Source.ToString(),
                DestinationAccountId = p.Destination.ToString(),
                Amount = p.Amount,
            })
        );
        Add(message.Metadata, transaction.Header.Metadata);
        var response = new Proto.PostTransactionResponse { Transaction = message };
        response.Accounts.AddRange(transaction.Entries.Select(entry => entry.Account).Distinct().Select(Account));
        return response;
    }

    public static Proto.TransactionResponse Response(MerchantId merchant, TransactionView transaction)
    {
        var message = new Proto.Transaction
        {
            TransactionId = transaction.Id.ToString(),
            MerchantId = merchant.ToString(),
            Reference = transaction.Reference ?? "",
            Kind = transaction.Kind,
            EffectiveAt = transaction.EffectiveAt.ToTimestamp(),
            RecordedAt = transaction.RecordedAt.ToTimestamp(),
            ReversesTransactionId = transaction.Reverses?.ToString() ?? "",
            HoldId = transaction.HoldId?.ToString() ?? "",
        };
        message.Postings.AddRange(
            transaction.Postings.Select(p => new Proto.Posting
            {
                SourceAccountId = p.Source.ToString(),
                DestinationAccountId = p.Destination.ToString(),
                Amount = p.Amount,
            })
        );
        Add(message.Metadata, transaction.Metadata);
        return new Proto.TransactionResponse { Transaction = message };
    }

    public static Proto.SpendResponse Response(Result.Spent spent)
    {
        var message = new Proto.Spent
        {
            TransactionId = spent.Transaction.Id.ToString(),
            Reference = spent.Transaction.Header.Reference ?? "",
            Requested = spent.Requested,
            Amount = spent.Items.Sum(item => item.Amount),
            Share = spent.Share,
            RecordedAt = spent.Transaction.RecordedAt.ToTimestamp(),
        };
        message.Items.AddRange(
            spent.Items.Select(item => new Proto.SpentItem
            {
                AccountId = item.AccountId.ToString(),
                Amount = item.Amount,
                AvailableAfter = item.AvailableAfter,
            })
        );
        return new Proto.SpendResponse { Spent = message };
    }

    /// <param name="hold">As it is now.</param>
    /// <param name="book">Where its accounts are, or null when it was only read.</param>
    public static Proto.HoldResponse Response(Hold hold, Book? book)
    {
        var message = new Proto.Hold
        {
            HoldId = hold.Id.ToString(),
            MerchantId = hold.MerchantId.ToString(),
            Reference = hold.Reference,
            State = hold.Progress.State switch
            {
                HoldState.Pending => Proto.HoldState.Pending,
                HoldState.Captured => Proto.HoldState.Captured,
                HoldState.Released => Proto.HoldState.Released,
                _ => Proto.HoldState.Expired,
            },
            Requested = hold.Requested,
            Held = hold.Held,
            Captured = hold.Captured,
            ExpiresAt = hold.Progress.ExpiresAt.ToTimestamp(),
            PlacedAt = hold.PlacedAt.ToTimestamp(),
            TransactionId = hold.Progress.TransactionId?.ToString() ?? "",
            Version = hold.Progress.Version,
        };
        message.Items.AddRange(
            hold.Progress.Items.Select(item => new Proto.HoldItem
            {
                AccountId = item.AccountId.ToString(),
                Held = item.Held,
                Captured = item.Captured,
                AvailableAfter = book?.Account(hold.MerchantId, item.AccountId).Available ?? 0,
            })
        );
        return new Proto.HoldResponse { Hold = message };
    }

    public static Proto.Account Account(AccountRow row)
    {
        var message = new Proto.Account
        {
            AccountId = row.AccountId.ToString(),
            MerchantId = row.MerchantId.ToString(),
            Name = row.Name,
            Asset = row.Asset,
            Status = Status(row.Status),
            Policy = Policy(row.Floor),
            Posted = row.Posted,
            Held = row.Held,
            Available = row.Posted - row.Held,
            Version = row.Sequence,
            Revision = row.Revision,
            Striped = row.Striped,
        };
        SetLimits(message, row.Floor, row.Ceiling);
        return message;
    }

    public static Proto.Entry Entry(EntryRow row) =>
        new()
        {
            EntryId = Transaction.EntryId(row.TransactionId, row.Line).ToString(),
            TransactionId = row.TransactionId.ToString(),
            AccountId = row.AccountId.ToString(),
            Amount = row.Amount,
            BalanceAfter = row.BalanceAfter,
            Sequence = row.Sequence,
            Stripe = row.Stripe,
            EffectiveAt = row.EffectiveAt.ToTimestamp(),
            RecordedAt = row.RecordedAt.ToTimestamp(),
        };

    private static Proto.Account Account(Account account)
    {
        var message = new Proto.Account
        {
            AccountId = account.Id.ToString(),
            MerchantId = account.MerchantId.ToString(),
            Name = account.Name,
            Asset = account.Asset,
            Status = Status(account.Status.ToString()),
            Policy = Policy(account.Floor),
            Posted = account.Posted,
            Held = account.Held,
            Available = account.Available,
            Version = account.State.Sequence,
            Revision = account.State.Revision,
            Striped = account.Striped,
        };
        SetLimits(message, account.Floor, account.Ceiling);
        return message;
    }

    private static Proto.AccountPolicy Policy(long? floor) =>
        floor is null ? Proto.AccountPolicy.Unbounded : Proto.AccountPolicy.Unspecified;

    private static Proto.AccountStatus Status(string status) =>
        status switch
        {
            "open" or "Open" => Proto.AccountStatus.Open,
            "frozen" or "Frozen" => Proto.AccountStatus.Frozen,
            _ => Proto.AccountStatus.Closed,
        };

    private static void SetLimits(Proto.Account message, long? floor, long? ceiling)
    {
        if (floor is { } f)
        {
            message.Floor = f;
        }

        if (ceiling is { } c)
        {
            message.Ceiling = c;
        }
    }

    private static void Add(
        Google.Protobuf.Collections.MapField<string, string> map,
        IReadOnlyDictionary<string, string>? metadata
    )
    {
        foreach (var (key, value) in metadata ?? new Dictionary<string, string>())
        {
            map.Add(key, value);
        }
    }
}
