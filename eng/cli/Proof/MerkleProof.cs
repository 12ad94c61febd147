using System.Security.Cryptography;

namespace LocalPlus.Cli.Proof;

/// <summary>
/// Checks proofs of an RFC 6962 tree as RFC 9162 sections 2.1.3.2 and 2.1.4.2 say. Shares no code with the ledger that
/// makes them, so that a mistake there is not repeated here.
/// </summary>
internal static class MerkleProof
{
    private const int HashBytes = 32;

    public static byte[] LeafHash(ReadOnlySpan<byte> content) => SHA256.HashData([0, .. content]);

    /// <summary>The root that follows when the leaf stands at the index of a tree of that size.</summary>
    public static byte[] RootOf(byte[] leaf, long index, long size, IReadOnlyList<byte[]> path)
    {
        if (index < 0 || index >= size)
        {
            throw new ProofFailure($"leaf {index} is outside a tree of {size}");
        }

        var (node, last, root) = (index, size - 1, leaf);
        foreach (var hash in path)
        {
            if (last == 0)
            {
                throw new ProofFailure("the path is longer than the tree is high");
            }

            if ((node & 1) == 1 || node == last)
            {
                root = Join(hash, root);
                while ((node & 1) == 0 && node != 0)
                {
                    (node, last) = (node >> 1, last >> 1);
                }
            }
            else
            {
                root = Join(root, hash);
            }

            (node, last) = (node >> 1, last >> 1);
        }

        return last == 0 ? root : throw new ProofFailure("the path is shorter than the tree is high");
    }

    /// <summary>Whether the larger tree begins with all leaves of the smaller, in their order.</summary>
    public static bool IsContinued(long from, byte[] oldRoot, long to, byte[] newRoot, IReadOnlyList<byte[]> path)
    {
        if (from <= 0 || from > to)
        {
            return false;
        }

        if (from == to)
        {
            return path.Count == 0 && oldRoot.AsSpan().SequenceEqual(newRoot);
        }

        // A full tree is its own first node, which the path then leaves out.
        List<byte[]> hashes = (from & (from - 1)) == 0 ? [oldRoot, .. path] : [.. path];
        var (node, last) = (from - 1, to - 1);
        while ((node & 1) == 1)
        {
            (node, last) = (node >> 1, last >> 1);
        }

        if (hashes.Count == 0)
        {
            return false;
        }

        var (older, newer) = (hashes[0], hashes[0]);
        foreach (var hash in hashes.Skip(1))
        {
            if (last == 0)
            {
                return false;
            }

            if ((node & 1) == 1 || node == last)
            {
                (older, newer) = (Join(hash, older), Join(hash, newer));
                while ((node & 1) == 0 && node != 0)
                {
                    (node, last) = (node >> 1, last >> 1);
                }
            }
            else
            {
                newer = Join(newer, hash);
            }

            (node, last) = (node >> 1, last >> 1);
        }

        return last == 0 && older.AsSpan().SequenceEqual(oldRoot) && newer.AsSpan().SequenceEqual(newRoot);
    }

    private static byte[] Join(byte[] left, byte[] right) =>
        left.Length == HashBytes && right.Length == HashBytes
            ? SHA256.HashData([1, .. left, .. right])
            : throw new ProofFailure("a hash of the path does not have 32 bytes");
}
