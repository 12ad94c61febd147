using System.Text.Json;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Proto = LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Ledger.Core;

/// <summary>Reads the contract's messages strictly and writes them; a field that is wrong is an invalid_request naming it.</summary>
internal static class Wire
{
    public static Guid Id<TId>(string text, string field)
        where TId : struct, IId<TId> =>
        Ids.TryParse<TId>(text, out var id) ? id.Value : throw Invalid(field, $"is not a {TId.Prefix}_ id");

    public static string Text(string text, string field, int limit) =>
        text.Length is > 0 && text.Length <= limit && !text.Contains('\0') ? text : throw Invalid(field, $"has 1 to {limit} characters");

    public static string Key(string key) => Text(key, "idempotency_key", IdempotentRequests.MaxKeyLength);

    public static string Reference(string reference) => Text(reference, "reference", LedgerLimits.ReferenceCharacters);

    public static long Amount(long amount, string field) =>
        amount is > 0 and < LedgerLimits.Amount ? amount : throw Invalid(field, "is positive and below 2^53");

    public static string Kind(string kind) =>
        kind.Length is > 0 and <= 40 && char.IsAsciiLetterLower(kind[0]) && kind.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_')
            ? kind
            : throw Invalid("kind", "is up to 40 of a-z, 0-9 and _");

    public static string Metadata(MapField<string, string> metadata)
    {
        if (metadata.Count > LedgerLimits.MetadataEntries || metadata.Any(entry => entry.Key.Length + entry.Value.Length > LedgerLimits.MetadataCharacters))
        {
            throw Invalid("metadata", $"has up to {LedgerLimits.MetadataEntries} entries of up to {LedgerLimits.MetadataCharacters} characters");
        }

        return metadata.Any(entry => entry.Key.Contains('\0') || entry.Value.Contains('\0'))
            ? throw Invalid("metadata", "has control characters")
            : JsonSerializer.Serialize(metadata);
    }

    public static Posting[] Postings(RepeatedField<Proto.Posting> postings, string field, int least)
    {
        if (postings.Count < least || postings.Count > LedgerLimits.PostingsPerTransaction)
        {
            throw Invalid(field, $"has {least} to {LedgerLimits.PostingsPerTransaction} items");
        }

        return [.. postings.Select((posting, i) => ToPosting(posting, $"{field}/{i}"))];
    }

    public static DateTimeOffset? Instant(Timestamp? timestamp) => timestamp?.ToDateTimeOffset();

    public static FaultException Invalid(string field, string what) =>
        new(CommonFaults.InvalidRequest, $"{field} {what}.", new FieldError("/" + field, "invalid"));

    public static Proto.Account ToProto(Account account) => new()
    {
        AccountId = new AccountId(account.AccountId).ToString(),
        MerchantId = new MerchantId(account.MerchantId).ToString(),
        Name = account.Name,
        Asset = account.Asset,
        Policy = account.IsBounded ? Proto.AccountPolicy.Unspecified : Proto.AccountPolicy.Unbounded,
        Status = account.Status switch
        {
            "open" => Proto.AccountStatus.Open,
            "frozen" => Proto.AccountStatus.Frozen,
            _ => Proto.AccountStatus.Closed,
        },
        Posted = account.Posted,
        Held = account.Held,
        Available = account.Available,
        Version = account.Version,
    };

    public static Proto.Transaction ToProto(NewTransaction transaction)
    {
        var message = new Proto.Transaction
        {
            TransactionId = new TransactionId(transaction.TransactionId).ToString(),
            MerchantId = new MerchantId(transaction.MerchantId).ToString(),
            Reference = transaction.Reference,
            Kind = transaction.Kind,
            EffectiveAt = transaction.EffectiveAt.ToTimestamp(),
            RecordedAt = transaction.RecordedAt.ToTimestamp(),
            ReversesTransactionId = transaction.Reverses is { } original ? new TransactionId(original).ToString() : "",
            HoldId = transaction.HoldId is { } hold ? new HoldId(hold).ToString() : "",
        };
        message.Postings.AddRange(transaction.Postings.Select(ToProto));
        message.Metadata.Add(JsonSerializer.Deserialize<Dictionary<string, string>>(transaction.Metadata));
        return message;
    }

    public static Proto.PostTransactionResponse ToResponse(NewTransaction transaction, Book book)
    {
        var response = new Proto.PostTransactionResponse { Transaction = ToProto(transaction) };
        response.Accounts.AddRange(transaction.Postings.SelectMany(p => new[] { p.Source, p.Destination }).Distinct()
            .Select(id => ToProto(book.Accounts[id])));
        return response;
    }

    public static Proto.HoldResponse ToResponse(Hold hold, Book? book)
    {
        var message = new Proto.Hold
        {
            HoldId = new HoldId(hold.HoldId).ToString(),
            MerchantId = new MerchantId(hold.MerchantId).ToString(),
            Reference = hold.Reference,
            State = hold.State switch
            {
                "pending" => Proto.HoldState.Pending,
                "captured" => Proto.HoldState.Captured,
                "released" => Proto.HoldState.Released,
                _ => Proto.HoldState.Expired,
            },
            Requested = hold.Requested,
            Held = hold.Held,
            Captured = hold.Captured,
            ExpiresAt = hold.ExpiresAt.ToTimestamp(),
            PlacedAt = hold.PlacedAt.ToTimestamp(),
            TransactionId = hold.TransactionId is { } id ? new TransactionId(id).ToString() : "",
            Version = hold.Version,
        };
        message.Items.AddRange(hold.Items.Select(item => new Proto.HoldItem
        {
            AccountId = new AccountId(item.AccountId).ToString(),
            Held = item.Held,
            Captured = item.Captured,
            AvailableAfter = book?.Accounts[item.AccountId].Available ?? 0,
        }));
        return new Proto.HoldResponse { Hold = message };
    }

    public static Proto.Posting ToProto(Posting posting) => new()
    {
        SourceAccountId = new AccountId(posting.Source).ToString(),
        DestinationAccountId = new AccountId(posting.Destination).ToString(),
        Amount = posting.Amount,
    };

    private static Posting ToPosting(Proto.Posting posting, string field)
    {
        var source = Id<AccountId>(posting.SourceAccountId, field + "/source_account_id");
        var destination = Id<AccountId>(posting.DestinationAccountId, field + "/destination_account_id");
        return source != destination
            ? new Posting(source, destination, Amount(posting.Amount, field + "/amount"))
            : throw Invalid(field, "has one account on both sides");
    }
}
