using System.Text.Json;

namespace LocalPlus.Cli.Proof;

/// <summary>
/// Checks what the ledger hands out as proof, with nothing but the file and the log's public key. Each step returns
/// what is proved, in a sentence; a <see cref="ProofFailure"/> says what is not.
/// </summary>
internal static class Evidence
{
    public const string NotSealed = "the transaction is not in the log yet";

    public static IReadOnlyList<string> Check(JsonElement document, PublicKeys keys)
    {
        try
        {
            return Text(document, "object") switch
            {
                "receipt" => Receipt(document, keys),
                "consistency_proof" => Consistency(document, keys),
                var other => throw new ProofFailure(
                    $"this is a {other}; a receipt or a consistency_proof can be verified"
                ),
            };
        }
        catch (Exception malformed)
            when (malformed is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new ProofFailure($"a part is missing or not what it should be: {malformed.Message}");
        }
    }

    private static List<string> Receipt(JsonElement receipt, PublicKeys keys)
    {
        var transaction = receipt.GetProperty("transaction");
        var leaf = MerkleProof.LeafHash(CanonicalJson.Of(transaction));
        if (!leaf.AsSpan().SequenceEqual(receipt.GetProperty("leaf_hash").GetBytesFromBase64()))
        {
            throw new ProofFailure(
                "the transaction's content does not have the hash that the receipt names: one of them was changed"
            );
        }

        if (!receipt.GetProperty("sealed").GetBoolean())
        {
            throw new ProofFailure(NotSealed);
        }

        var checkpoint = SignedNote.Open(Text(receipt, "checkpoint"), keys);
        var (index, path) = (receipt.GetProperty("leaf_index").GetInt64(), Hashes(receipt, "inclusion_path"));
        if (!MerkleProof.RootOf(leaf, index, checkpoint.Size, path).AsSpan().SequenceEqual(checkpoint.Root))
        {
            throw new ProofFailure("the path does not lead from the transaction to the signed root");
        }

        var moved = transaction
            .GetProperty("entries")
            .EnumerateArray()
            .Select(entry =>
                $"{Text(entry, "account_id")} {entry.GetProperty("amount").GetInt64():+0;-0} {Text(entry, "asset")}"
            );
        return
        [
            $"content: {Text(transaction, "id")}, {Text(transaction, "kind")} of "
                + $"{Text(transaction, "recorded_at")}: {string.Join(", ", moved)}",
            $"inclusion: leaf {index} of {checkpoint.Size}, by {path.Length} hashes",
            $"signature: {checkpoint.Origin}, root {Convert.ToBase64String(checkpoint.Root)}",
        ];
    }

    private static List<string> Consistency(JsonElement proof, PublicKeys keys)
    {
        var (old, fresh) = (SignedNote.Open(Text(proof, "from"), keys), SignedNote.Open(Text(proof, "to"), keys));
        if (old.Origin != fresh.Origin)
        {
            throw new ProofFailure($"{old.Origin} and {fresh.Origin} are two logs");
        }

        return MerkleProof.IsContinued(old.Size, old.Root, fresh.Size, fresh.Root, Hashes(proof, "path"))
            ?
            [
                $"consistency: the tree of {fresh.Size} begins with all {old.Size} leaves of the older one",
                $"signature: {fresh.Origin}, twice",
            ]
            : throw new ProofFailure(
                $"the tree of {fresh.Size} is not shown to continue the one of {old.Size}: "
                    + "the log may have been rewritten"
            );
    }

    private static string Text(JsonElement value, string name) =>
        value.GetProperty(name).GetString() ?? throw new ProofFailure($"{name} is missing");

    private static byte[][] Hashes(JsonElement value, string name) =>
        [.. value.GetProperty(name).EnumerateArray().Select(hash => hash.GetBytesFromBase64())];
}
