using System.Security.Cryptography;
using LocalPlus.Cli.Proof;
using LocalPlus.Ledger.Proof;

namespace LocalPlus.Tests.Unit.Ledger;

/// <summary>
/// The ledger's tree against the vectors of RFC 6962, a naive tree, and the verifier, which shares no code with it.
/// </summary>
public sealed class MerkleTests
{
    private const int Most = 130;

    /// <summary>The leaves and roots that implementations of Certificate Transparency test themselves with.</summary>
    private static readonly string[] KnownLeaves =
    [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];

    private static readonly string[] KnownRoots =
    [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    private static readonly byte[][] Leaves =
    [
        .. Enumerable.Range(0, Most).Select(i => MerkleProof.LeafHash([(byte)i, 7])),
    ];

    [Fact]
    public void Roots_are_those_that_RFC_6962_implementations_agree_on()
    {
        var frontier = new Frontier();
        var roots = KnownLeaves.Select(leaf =>
        {
            frontier.Append(MerkleProof.LeafHash(Convert.FromHexString(leaf)));
            return Convert.ToHexStringLower(frontier.Root());
        });

        Assert.Equal(KnownRoots, roots);
    }

    [Fact]
    public void A_frontier_has_the_root_of_the_whole_tree_at_every_size_and_hands_out_each_full_subtree_once()
    {
        var (frontier, completed) = (new Frontier(), new Dictionary<Node, byte[]>());
        for (var size = 1; size <= Most; size++)
        {
            frontier.Append(Leaves[size - 1], completed.Add);
            Assert.Equal(Hash(new LeafRange(0, size)), frontier.Root());
            var resumed = new Frontier(
                size,
                new LeafRange(0, size).Nodes().Select(n => n.Level == 0 ? Leaves[n.Index] : completed[n])
            );
            Assert.Equal(frontier.Root(), resumed.Root());
        }

        Assert.All(
            completed,
            pair =>
                Assert.Equal(
                    Hash(new LeafRange(pair.Key.Index << pair.Key.Level, (pair.Key.Index + 1) << pair.Key.Level)),
                    pair.Value
                )
        );
        Assert.Equal(Enumerable.Range(1, 7).Sum(level => Most >> level), completed.Count);
    }

    [Fact]
    public void Inclusion_of_every_leaf_is_proved_in_every_tree_and_of_no_other()
    {
        for (var size = 1; size <= Most; size++)
        {
            var root = Hash(new LeafRange(0, size));
            for (var leaf = 0; leaf < size; leaf++)
            {
                var path = Merkle.InclusionPath(leaf, size).ConvertAll(Hash);
                Assert.Equal(root, MerkleProof.RootOf(Leaves[leaf], leaf, size, path));
                Assert.NotEqual(root, MerkleProof.RootOf(Leaves[(leaf + 1) % Most], leaf, size, path));
            }
        }
    }

    [Fact]
    public void A_path_of_the_wrong_length_or_a_leaf_outside_is_refused()
    {
        var path = Merkle.InclusionPath(5, 11).ConvertAll(Hash);

        Assert.Throws<ProofFailure>(() => MerkleProof.RootOf(Leaves[5], 5, 11, path[..^1]));
        Assert.Throws<ProofFailure>(() => MerkleProof.RootOf(Leaves[5], 5, 11, [.. path, path[0]]));
        Assert.Throws<ProofFailure>(() => MerkleProof.RootOf(Leaves[5], 11, 11, path));
        Assert.Throws<ProofFailure>(() => MerkleProof.RootOf(Leaves[5], 5, 11, [path[0][..31], .. path[1..]]));
    }

    [Fact]
    public void Consistency_of_every_two_sizes_is_proved_and_of_a_changed_tree_is_not()
    {
        for (var to = 1; to <= Most; to++)
        {
            var fresh = Hash(new LeafRange(0, to));
            for (var from = 1; from <= to; from++)
            {
                var (old, path) = (Hash(new LeafRange(0, from)), Merkle.ConsistencyPath(from, to).ConvertAll(Hash));
                Assert.True(MerkleProof.IsContinued(from, old, to, fresh, path), $"{from} to {to}");
                Assert.False(
                    MerkleProof.IsContinued(from, SHA256.HashData(old), to, fresh, path),
                    $"{from} to {to}: old root"
                );
                Assert.False(
                    MerkleProof.IsContinued(from, old, to, SHA256.HashData(fresh), path),
                    $"{from} to {to}: new root"
                );
                if (path.Count > 0)
                {
                    Assert.False(
                        MerkleProof.IsContinued(from, old, to, fresh, [SHA256.HashData(path[0]), .. path[1..]]),
                        $"{from} to {to}: path"
                    );
                    Assert.False(
                        MerkleProof.IsContinued(from, old, to, fresh, path[..^1]),
                        $"{from} to {to}: shortened"
                    );
                }
            }
        }
    }

    [Theory]
    [InlineData(1_000_000_000, 30)]
    [InlineData(1_000_001, 20)]
    public void A_proof_over_a_billion_leaves_asks_for_a_few_hashes(long size, int most)
    {
        Assert.InRange(Merkle.InclusionPath(size / 3, size).Count, 1, most);
        Assert.InRange(Merkle.ConsistencyPath(size / 3, size).Count, 1, most + 1);
        Assert.InRange(new LeafRange(0, size).Nodes().Count(), 1, most);
    }

    /// <summary>RFC 6962 section 2.1, word for word.</summary>
    private static byte[] Hash(LeafRange range)
    {
        if (range.Count == 1)
        {
            return Leaves[range.Begin];
        }

        var k = 1L;
        while (k * 2 < range.Count)
        {
            k *= 2;
        }

        return SHA256.HashData([
            1,
            .. Hash(new LeafRange(range.Begin, range.Begin + k)),
            .. Hash(new LeafRange(range.Begin + k, range.End)),
        ]);
    }
}
