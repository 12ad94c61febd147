using System.Buffers;
using System.Text;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Proof;

namespace LocalPlus.Tests.Unit.Ledger;

public sealed class LeafTests
{
    private static readonly DateTimeOffset At = new(2026, 1, 10, 12, 0, 0, TimeSpan.Zero);
    private static readonly Guid Id = Guid.Parse("0197c0de-0000-7000-8000-000000000000");

    [Fact]
    public void A_leaf_is_canonical_json_with_what_is_absent_left_out()
    {
        var buffer = new ArrayBufferWriter<byte>();
        Leaf("r\"1\n", new SortedDictionary<string, string>(StringComparer.Ordinal) { ["b"] = "é", ["a"] = "\u0001" })
            .WriteTo(buffer);

        var text = Encoding.UTF8.GetString(buffer.WrittenSpan);

        Assert.Equal(
            $$"""{"effective_at":"2026-01-10T12:00:00.000Z","entries":[{"account_id":"{{new AccountId(Id)}}","amount":-5,"asset":"EUR","balance_after":95,"sequence":7},{"account_id":"{{new AccountId(Id)}}","amount":5,"asset":"EUR","balance_after":5,"sequence":1,"stripe":3}],"id":"{{new TransactionId(Id)}}","kind":"load","merchant_id":"{{new MerchantId(Id)}}","metadata":{"a":"\u0001","b":"é"},"recorded_at":"2026-01-10T12:00:00.000Z","reference":"r\"1\n"}""",
            text
        );
    }

    [Fact]
    public void Any_change_changes_the_hash()
    {
        var hash = Leaf("r1", null).Hash();

        Assert.Equal(32, hash.Length);
        Assert.Equal(hash, Leaf("r1", null).Hash());
        Assert.NotEqual(hash, Leaf("r2", null).Hash());
        Assert.NotEqual(hash, Leaf(null, null).Hash());
    }

    private static Leaf Leaf(string? reference, IReadOnlyDictionary<string, string>? metadata) =>
        new(
            new TransactionId(Id),
            new MerchantId(Id),
            reference,
            "load",
            null,
            null,
            metadata,
            At,
            At,
            [new LeafEntry(new AccountId(Id), 0, 7, "EUR", -5, 95), new LeafEntry(new AccountId(Id), 3, 1, "EUR", 5, 5)]
        );
}
