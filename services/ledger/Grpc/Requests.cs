using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Accounts;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;
using Proto = LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Ledger.Grpc;

/// <summary>Reads the contract's messages strictly; a field that is wrong is an invalid_request naming it.</summary>
internal static class Requests
{
    public static TId Id<TId>(string text, string field)
        where TId : struct, IId<TId> =>
        Ids.TryParse<TId>(text, out var id) ? id : throw Input.Invalid(field, $"is not a {TId.Prefix}_ id");

    public static string Key(string key) =>
        key.Length is > 0 and <= IdempotentRequests.MaxKeyLength && Books.Text.IsLine(key)
            ? key
            : throw Input.Invalid(
                "idempotency_key",
                $"has 1 to {IdempotentRequests.MaxKeyLength} characters, and no control characters"
            );

    public static Operation Read(Proto.PostTransactionRequest request) =>
        new Operations.PostTransaction(
            Merchant(request.MerchantId),
            new Header(
                OptionalReference(request.Reference),
                Input.Kind(request.Kind),
                Books.Metadata.Check(request.Metadata),
                Input.Instant(Instant(request.EffectiveAt), "effective_at")
            ),
            Postings(request.Postings, "postings", least: 1)
        );

    public static Operation Read(Proto.ReverseTransactionRequest request) =>
        new Operations.ReverseTransaction(
            Merchant(request.MerchantId),
            Id<TransactionId>(request.TransactionId, "transaction_id"),
            new Header(
                OptionalReference(request.Reference),
                Input.Kind(request.Kind.Length == 0 ? Transactions.ReverseTransaction.Kind : request.Kind),
                Books.Metadata.Check(request.Metadata)
            ),
            Postings(request.Postings, "postings", least: 0)
        );

    public static Operation Read(Proto.PlaceHoldRequest request) =>
        new PlaceHold(
            Merchant(request.MerchantId),
            Reference(request.Reference),
            Input.Amount(request.Amount, "amount"),
            Input.Sources([
                .. request.Sources.Select(
                    (s, i) =>
                        new HoldSource(
                            Id<AccountId>(s.AccountId, $"sources/{i}/account_id"),
                            s.MaxAmount == 0 ? null : s.MaxAmount
                        )
                ),
            ]),
            request.AllowPartial,
            Input.Instant(Instant(request.ExpiresAt), "expires_at"),
            request.Capture is null ? null : Read(request.Capture),
            Books.Metadata.Check(request.Metadata)
        );

    public static Operation Read(Proto.CaptureHoldRequest request) =>
        new CaptureHold(
            Merchant(request.MerchantId),
            Id<HoldId>(request.HoldId, "hold_id"),
            request.Amount == 0 ? null : Input.Amount(request.Amount, "amount"),
            OptionalReference(request.Reference),
            Read(request.Capture ?? throw Input.Invalid("capture", "is missing")),
            Books.Metadata.Check(request.Metadata)
        );

    public static Operation Read(Proto.SpendRequest request)
    {
        var destination = Id<AccountId>(request.DestinationAccountId, "destination_account_id");
        AccountId? shareTo =
            request.ShareAccountId.Length == 0 ? null : Id<AccountId>(request.ShareAccountId, "share_account_id");
        var kind = request.Kind.Length == 0 ? Capture.Kind : request.Kind;
        return new Spend(
            Merchant(request.MerchantId),
            new Header(OptionalReference(request.Reference), Input.Kind(kind), Books.Metadata.Check(request.Metadata)),
            Input.Amount(request.Amount, "amount"),
            Input.SpendSources(
                [
                    .. request.Sources.Select(
                        (s, i) =>
                            new SpendSource(
                                Id<AccountId>(s.AccountId, $"sources/{i}/account_id"),
                                s.HasMaxAmount ? s.MaxAmount : null,
                                s.ShareBasisPoints
                            )
                    ),
                ],
                destination,
                shareTo
            ),
            request.AllowPartial,
            destination,
            shareTo
        );
    }

    public static Operation Read(Proto.ReleaseHoldRequest request) =>
        new ReleaseHold(Merchant(request.MerchantId), Id<HoldId>(request.HoldId, "hold_id"));

    public static Operation Read(Proto.ExtendHoldRequest request) =>
        new ExtendHold(
            Merchant(request.MerchantId),
            Id<HoldId>(request.HoldId, "hold_id"),
            Input.Instant(Instant(request.ExpiresAt), "expires_at") ?? throw Input.Invalid("expires_at", "is missing")
        );

    public static AccountToOpen[] Read(Proto.OpenAccountsRequest request, TimeProvider time) =>
        request.Accounts.Count is > 0 and <= LedgerLimits.AccountsPerRequest
            ? [.. request.Accounts.Select((account, i) => Read(account, time).Check($"/accounts/{i}"))]
            : throw Input.Invalid("accounts", $"has 1 to {LedgerLimits.AccountsPerRequest} items");

    public static MerchantId Merchant(string text) => Id<MerchantId>(text, "merchant_id");

    public static string Reference(string reference) => Input.Reference(reference)!;

    /// <summary>Empty: none, as absent is over REST.</summary>
    private static string? OptionalReference(string reference) =>
        reference.Length == 0 ? null : Input.Reference(reference);

    private static AccountToOpen Read(Proto.OpenAccount account, TimeProvider time) =>
        new(
            account.AccountId.Length == 0 ? AccountId.New(time) : Id<AccountId>(account.AccountId, "account_id"),
            account.Name,
            account.Asset,
            account.HasFloor ? account.Floor
                : account.Policy == Proto.AccountPolicy.Unbounded || account.Striped ? null
                : 0,
            account.HasCeiling ? account.Ceiling : null,
            account.Striped
        );

    private static Capture Read(Proto.HoldCapture capture) =>
        new(
            Id<AccountId>(capture.DestinationAccountId, "capture/destination_account_id"),
            Postings(capture.Postings, "capture/postings", least: 0)
        );

    private static IReadOnlyList<Posting> Postings(RepeatedField<Proto.Posting> postings, string field, int least) =>
        Input.Postings(
            [
                .. postings.Select(
                    (p, i) =>
                        new Posting(
                            Id<AccountId>(p.SourceAccountId, $"{field}/{i}/source_account_id"),
                            Id<AccountId>(p.DestinationAccountId, $"{field}/{i}/destination_account_id"),
                            p.Amount
                        )
                ),
            ],
            field,
            least
        );

    private static DateTimeOffset? Instant(Timestamp? timestamp)
    {
        try
        {
            return timestamp?.ToDateTimeOffset();
        }
        catch (InvalidOperationException)
        {
            throw Input.Invalid("timestamp", "is out of range");
        }
    }
}
