using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;

namespace LocalPlus.Ledger.Proof;

/// <summary>An entry as the log knows it.</summary>
internal readonly record struct LeafEntry(
    AccountId AccountId,
    short Stripe,
    long Sequence,
    string Asset,
    long Amount,
    long BalanceAfter
);

/// <summary>
/// A transaction as the log knows it, and its hash: SHA-256 over a zero byte and the transaction in canonical JSON
/// (RFC 6962 section 2.1, RFC 8785). Members that are null, and a stripe of 0, are left out. No personal data is in it.
/// </summary>
internal sealed record Leaf(
    TransactionId Id,
    MerchantId MerchantId,
    string? Reference,
    string Kind,
    TransactionId? Reverses,
    HoldId? HoldId,
    IReadOnlyDictionary<string, string>? Metadata,
    DateTimeOffset EffectiveAt,
    DateTimeOffset RecordedAt,
    IReadOnlyList<LeafEntry> Entries
)
{
    private const string InstantFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? scratch;

    public static Leaf Of(Transaction transaction) =>
        new(
            transaction.Id,
            transaction.MerchantId,
            transaction.Header.Reference,
            transaction.Header.Kind,
            transaction.Reverses,
            transaction.HoldId,
            transaction.Header.Metadata,
            transaction.EffectiveAt,
            transaction.RecordedAt,
            Array.ConvertAll(
                transaction.Entries,
                e => new LeafEntry(
                    e.Account.Id,
                    e.Account.Stripe,
                    e.Sequence,
                    e.Account.Asset,
                    e.Amount,
                    e.BalanceAfter
                )
            )
        );

    public byte[] Hash()
    {
        var buffer = scratch ??= new ArrayBufferWriter<byte>(2048);
        buffer.ResetWrittenCount();
        buffer.GetSpan(1)[0] = 0;
        buffer.Advance(1);
        WriteTo(buffer);
        return SHA256.HashData(buffer.WrittenSpan);
    }

    /// <summary>The canonical text; members in the order of their names.</summary>
    public void WriteTo(ArrayBufferWriter<byte> buffer)
    {
        var json = new CanonicalJson(buffer);
        json.Open('{').Name("effective_at").Text(Format(EffectiveAt)).Name("entries").Open('[');
        foreach (var entry in Entries)
        {
            json.Open('{')
                .Name("account_id")
                .Text(entry.AccountId.ToString())
                .Name("amount")
                .Number(entry.Amount)
                .Name("asset")
                .Text(entry.Asset)
                .Name("balance_after")
                .Number(entry.BalanceAfter)
                .Name("sequence")
                .Number(entry.Sequence);
            if (entry.Stripe != 0)
            {
                json.Name("stripe").Number(entry.Stripe);
            }

            json.Close('}');
        }

        json.Close(']');
        Optional(json, "hold_id", HoldId?.ToString());
        json.Name("id").Text(Id.ToString()).Name("kind").Text(Kind).Name("merchant_id").Text(MerchantId.ToString());
        if (Metadata is not null)
        {
            json.Name("metadata").Open('{');
            foreach (var (key, value) in Metadata)
            {
                json.Name(key).Text(value);
            }

            json.Close('}');
        }

        json.Name("recorded_at").Text(Format(RecordedAt));
        Optional(json, "reference", Reference);
        Optional(json, "reverses", Reverses?.ToString());
        json.Close('}');
    }

    private static void Optional(CanonicalJson json, string name, string? value)
    {
        if (value is not null)
        {
            json.Name(name).Text(value);
        }
    }

    private static string Format(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString(InstantFormat, CultureInfo.InvariantCulture);
}
