namespace LocalPlus.Ledger.Proof;

/// <summary>
/// The right edge of a growing tree: the hashes of the full subtrees it consists of, one for each bit of its size. That
/// is all it takes to append leaves and to know the root: some 30 hashes for a billion leaves.
/// </summary>
internal sealed class Frontier
{
    private readonly List<byte[]> peaks;

    public Frontier()
        : this(0, []) { }

    /// <param name="size">The number of leaves.</param>
    /// <param name="peaks">The hashes of the nodes of (0, size), left to right.</param>
    public Frontier(long size, IEnumerable<byte[]> peaks)
    {
        Size = size;
        this.peaks = [.. peaks];
    }

    public long Size { get; private set; }

    /// <summary>Of a tree with at least one leaf.</summary>
    public byte[] Root() => Merkle.Root(peaks);

    /// <summary>Adds a leaf; hands out each subtree above the leaves that it makes full.</summary>
    public void Append(byte[] leafHash, Action<Node, byte[]>? completed = null)
    {
        var (node, hash) = (new Node(0, Size), leafHash);
        while ((node.Index & 1) == 1)
        {
            hash = Merkle.Join(peaks[^1], hash);
            peaks.RemoveAt(peaks.Count - 1);
            node = new Node(node.Level + 1, node.Index >> 1);
            completed?.Invoke(node, hash);
        }

        peaks.Add(hash);
        Size++;
    }
}
