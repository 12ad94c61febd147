using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LocalPlus.Cli.Proof;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Proof;
using Microsoft.Extensions.Configuration;

namespace LocalPlus.Tests.Unit.Ledger;

/// <summary>`localplus verify`, offline: what it accepts, and that it accepts nothing else.</summary>
public sealed class ReceiptTests : IDisposable
{
    private static readonly DateTimeOffset At = new(2026, 1, 10, 12, 0, 0, TimeSpan.Zero);
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly LogKey signer;

    public ReceiptTests()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?>
                {
                    ["Secrets:checkpoint_key"] = Convert.ToBase64String(key.ExportPkcs8PrivateKey()),
                }
            )
            .Build();
        signer = new LogKey(new CheckpointKeys(configuration), configuration);
    }

    public void Dispose() => key.Dispose();

    [Fact]
    public void A_receipt_proves_content_inclusion_and_signature()
    {
        var facts = Check(Receipt());

        Assert.Collection(
            facts,
            fact => Assert.Matches("^content: txn_.* -5 EUR, acc_.* \\+5 EUR$", fact),
            fact => Assert.Equal("inclusion: leaf 4 of 7, by 3 hashes", fact),
            fact => Assert.StartsWith("signature: localplus.local/ledger, root ", fact)
        );
    }

    [Fact]
    public void White_space_and_the_order_of_members_do_not_count() =>
        Assert.NotEmpty(
            Check(
                JsonNode
                    .Parse(
                        JsonSerializer.Serialize(
                            new SortedDictionary<string, JsonNode?>(
                                Receipt().ToDictionary(m => m.Key, m => m.Value?.DeepClone()),
                                Comparer<string>.Create((a, b) => string.CompareOrdinal(b, a))
                            ),
                            Indented
                        )
                    )!
                    .AsObject()
            )
        );

    [Theory]
    [InlineData("transaction.entries.1.amount", "6", "does not have the hash")]
    [InlineData("transaction.reference", "\"other\"", "does not have the hash")]
    [InlineData("transaction.extra", "1", "does not have the hash")]
    [InlineData("transaction.entries.1.amount", "5.5", "is not a whole number")]
    [InlineData("leaf_index", "3", "does not lead")]
    [InlineData("leaf_index", "-1", "outside")]
    [InlineData("leaf_hash", "null", "missing or not")]
    [InlineData("inclusion_path", "[]", "shorter")]
    [InlineData("checkpoint", "\"no note\"", "not a signed note")]
    [InlineData("checkpoint", "1", "missing or not")]
    [InlineData("sealed", "false", Evidence.NotSealed)]
    [InlineData("object", "\"invoice\"", "this is a invoice")]
    public void A_changed_receipt_is_refused_and_says_why(string path, string value, string reason)
    {
        var receipt = Receipt();
        var parts = path.Split('.');
        var parent = parts[..^1]
            .Aggregate(
                (JsonNode)receipt,
                (node, part) => node is JsonArray list ? list[int.Parse(part)]! : node[part]!
            );
        parent[parts[^1]] = JsonNode.Parse(value);

        Assert.Contains(reason, Assert.Throws<ProofFailure>(() => Check(receipt)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_with_a_changed_text_or_of_another_key_is_refused()
    {
        var note = signer.Sign(7, new byte[32]);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        Assert.Equal(7, SignedNote.Open(note, new PublicKeys(key)).Size);
        Assert.Contains(
            "signature is wrong",
            Refusal(note.Replace("\n7\n", "\n8\n", StringComparison.Ordinal), key),
            StringComparison.Ordinal
        );
        Assert.Contains("not signed by this key", Refusal(note, other), StringComparison.Ordinal);
        Assert.True(Checkpoint.Parse(note)!.IsSignedBy(key));
        Assert.False(Checkpoint.Parse(note)!.IsSignedBy(other));
        Assert.False(Checkpoint.Parse(note.Replace("\n7\n", "\n8\n", StringComparison.Ordinal))!.IsSignedBy(key));
    }

    [Fact]
    public void A_note_has_the_shape_of_C2SP()
    {
        var lines = signer.Sign(7, new byte[32]).Split('\n');

        Assert.Equal(["localplus.local/ledger", "7", Convert.ToBase64String(new byte[32]), ""], lines[..4]);
        Assert.StartsWith("— localplus.local/ledger ", lines[4]);
        Assert.Equal(
            SHA256.HashData(key.ExportSubjectPublicKeyInfo())[..4],
            Convert.FromBase64String(lines[4].Split(' ')[2])[..4]
        );
        Assert.Equal("", lines[5]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\n1\nAAAA\n\n— a b\n")]
    [InlineData("a\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— a b\n")]
    [InlineData("a\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— a b")]
    public void A_torn_note_is_none(string text) => Assert.Null(Checkpoint.Parse(text));

    [Fact]
    public void What_the_verifier_hashes_is_what_the_ledger_hashed_down_to_the_last_control_character()
    {
        var leaf = Leaf(
            4,
            new SortedDictionary<string, string>(StringComparer.Ordinal)
            {
                ["\u00e9\ud83d\ude00"] = "\u0000\u0008\u001f\u007f\u2028\"\\/<>&'",
                ["B"] = "é",
                ["a"] = "\ud83d\ude00",
            }
        );

        Assert.Equal(leaf.Hash(), MerkleProof.LeafHash(global::LocalPlus.Cli.Proof.CanonicalJson.Of(Content(leaf))));
    }

    [Fact]
    public void A_member_that_occurs_twice_is_refused() =>
        Assert.Throws<ProofFailure>(() =>
            global::LocalPlus.Cli.Proof.CanonicalJson.Of(JsonSerializer.Deserialize<JsonElement>("""{"a":1,"a":2}"""))
        );

    [Fact]
    public void A_log_that_only_grew_is_proved_and_a_rewritten_one_is_not()
    {
        var hashes = Enumerable.Range(0, 9).Select(i => Leaf(i, null).Hash()).ToArray();
        var proof = new JsonObject
        {
            ["object"] = "consistency_proof",
            ["from"] = signer.Sign(5, Root(hashes, 0, 5)),
            ["to"] = signer.Sign(9, Root(hashes, 0, 9)),
            ["path"] = new JsonArray([
                .. Merkle
                    .ConsistencyPath(5, 9)
                    .Select(r => (JsonNode)Convert.ToBase64String(Root(hashes, r.Begin, r.End))),
            ]),
        };

        Assert.Contains("begins with all 5 leaves", Check(proof)[0], StringComparison.Ordinal);

        hashes[2] = hashes[1];
        proof["to"] = signer.Sign(9, Root(hashes, 0, 9));
        Assert.Contains(
            "may have been rewritten",
            Assert.Throws<ProofFailure>(() => Check(proof)).Message,
            StringComparison.Ordinal
        );
    }

    private static string Refusal(string note, ECDsa key) =>
        Assert.Throws<ProofFailure>(() => SignedNote.Open(note, new PublicKeys(key))).Message;

    private static byte[] Root(byte[][] hashes, long begin, long end)
    {
        var frontier = new Frontier();
        foreach (var hash in hashes[(int)begin..(int)end])
        {
            frontier.Append(hash);
        }

        return frontier.Root();
    }

    private static Leaf Leaf(int number, IReadOnlyDictionary<string, string>? metadata)
    {
        var (from, to) = (new AccountId(new Guid(1, 0, 0, new byte[8])), new AccountId(new Guid(2, 0, 0, new byte[8])));
        return new Leaf(
            new TransactionId(new Guid(number, 0, 0, new byte[8])),
            new MerchantId(Guid.AllBitsSet),
            $"ref-{number}",
            "load",
            null,
            null,
            metadata,
            At,
            At,
            [new LeafEntry(from, 0, 7, "EUR", -5, 95), new LeafEntry(to, 3, 1, "EUR", 5, 5)]
        );
    }

    private static JsonElement Content(Leaf leaf)
    {
        var buffer = new ArrayBufferWriter<byte>();
        leaf.WriteTo(buffer);
        return JsonSerializer.Deserialize<JsonElement>(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    private IReadOnlyList<string> Check(JsonObject document) =>
        Evidence.Check(JsonSerializer.SerializeToElement(document), new PublicKeys(key));

    private JsonObject Receipt()
    {
        var leaves = Enumerable
            .Range(0, 7)
            .Select(i => Leaf(i, new SortedDictionary<string, string> { ["till"] = "3" }))
            .ToArray();
        var hashes = Array.ConvertAll(leaves, leaf => leaf.Hash());
        return new JsonObject
        {
            ["object"] = "receipt",
            ["sealed"] = true,
            ["transaction"] = JsonObject.Create(Content(leaves[4])),
            ["leaf_hash"] = Convert.ToBase64String(hashes[4]),
            ["leaf_index"] = 4,
            ["inclusion_path"] = new JsonArray([
                .. Merkle
                    .InclusionPath(4, 7)
                    .Select(r => (JsonNode)Convert.ToBase64String(Root(hashes, r.Begin, r.End))),
            ]),
            ["checkpoint"] = signer.Sign(7, Root(hashes, 0, 7)),
        };
    }
}
