using System.Numerics;
using System.Security.Cryptography;

namespace LocalPlus.Ledger.Proof;

/// <summary>A full subtree of 2^level leaves, the index-th of its level.</summary>
internal readonly record struct Node(int Level, long Index);

/// <summary>The leaves from begin (inclusive) to end (exclusive), and the subtree over them.</summary>
internal readonly record struct LeafRange(long Begin, long End)
{
    public long Count => End - Begin;

    /// <summary>The full subtrees that make up this one, left to right; one for each bit of the count.</summary>
    public IEnumerable<Node> Nodes()
    {
        var begin = Begin;
        for (var rest = Count; rest > 0; )
        {
            var level = BitOperations.Log2((ulong)rest);
            yield return new Node(level, begin >> level);
            begin += 1L << level;
            rest -= 1L << level;
        }
    }
}

/// <summary>
/// The Merkle tree of RFC 6962 section 2.1: which subtrees a proof consists of, and how hashes are joined.
/// </summary>
internal static class Merkle
{
    public const int HashBytes = 32;

    /// <summary>SHA-256 over a one byte and both children.</summary>
    public static byte[] Join(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        Span<byte> both = stackalloc byte[1 + (2 * HashBytes)];
        both[0] = 1;
        left.CopyTo(both[1..]);
        right.CopyTo(both[(1 + HashBytes)..]);
        return SHA256.HashData(both);
    }

    /// <summary>The root over subtrees that stand beside each other, largest first.</summary>
    public static byte[] Root(IReadOnlyList<byte[]> subtrees)
    {
        var root = subtrees[^1];
        for (var i = subtrees.Count - 2; i >= 0; i--)
        {
            root = Join(subtrees[i], root);
        }

        return root;
    }

    /// <summary>
    /// What has to be joined to a leaf, from its sibling upwards, to get the root of a tree of that size.
    /// </summary>
    public static List<LeafRange> InclusionPath(long leaf, long size)
    {
        var path = new List<LeafRange>();
        for (var tree = new LeafRange(0, size); tree.Count > 1; )
        {
            var (left, right) = Split(tree);
            path.Add(leaf < left.End ? right : left);
            tree = leaf < left.End ? left : right;
        }

        path.Reverse();
        return path;
    }

    /// <summary>
    /// What proves that the tree of one size begins with all leaves of a smaller one, in their order.
    /// </summary>
    public static List<LeafRange> ConsistencyPath(long from, long to)
    {
        var path = new List<LeafRange>();
        var tree = new LeafRange(0, to);
        while (tree.End != from)
        {
            var (left, right) = Split(tree);
            path.Add(from <= left.End ? right : left);
            tree = from <= left.End ? left : right;
        }

        if (tree.Begin > 0)
        {
            path.Add(tree);
        }

        path.Reverse();
        return path;
    }

    /// <summary>At the largest power of two below the count.</summary>
    private static (LeafRange Left, LeafRange Right) Split(LeafRange tree)
    {
        var middle = tree.Begin + (1L << BitOperations.Log2((ulong)(tree.Count - 1)));
        return (new LeafRange(tree.Begin, middle), new LeafRange(middle, tree.End));
    }
}
