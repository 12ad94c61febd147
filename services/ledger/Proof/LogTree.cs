using LocalPlus.Hosting;

namespace LocalPlus.Ledger.Proof;

/// <summary>
/// Reads hashes of the stored tree. A subtree is made of full ones, a full one of stored nodes: itself, or
/// the at most 8 below it on a level that is kept. So a proof over n leaves costs some 4 log2(n) rows, in few descents.
/// </summary>
internal sealed class LogTree(Database database)
{
    /// <summary>Every so many levels one is stored; migrations/0002_log.sql has the CHECK.</summary>
    public const int Stride = 4;

    public static bool IsStored(int level) => level % Stride == 0;

    /// <summary>
    /// The root hashes of the ranges, in their order. Throws when the log lacks a node that its size asks for.
    /// </summary>
    public async Task<byte[][]> HashesAsync(IReadOnlyList<LeafRange> ranges, CancellationToken cancel)
    {
        var nodes = await NodesAsync([.. ranges.SelectMany(range => range.Nodes())], cancel);
        var next = 0;
        return
        [
            .. ranges.Select(range =>
            {
                var count = range.Nodes().Count();
                next += count;
                return Merkle.Root(nodes[(next - count)..next]);
            }),
        ];
    }

    /// <summary>The right edge of the tree with that many leaves.</summary>
    public async Task<Frontier> FrontierAsync(long size, CancellationToken cancel) =>
        new(size, await NodesAsync([.. new LeafRange(0, size).Nodes()], cancel));

    private async Task<byte[][]> NodesAsync(Node[] nodes, CancellationToken cancel)
    {
        if (nodes.Length == 0)
        {
            return [];
        }

        var args = new
        {
            Levels = Array.ConvertAll(nodes, node => (short)(node.Level - Depth(node))),
            Firsts = Array.ConvertAll(nodes, node => node.Index << Depth(node)),
            Lasts = Array.ConvertAll(nodes, node => ((node.Index + 1) << Depth(node)) - 1),
        };
        var stored = (await database.QueryAsync<StoredNode>(Sql.Nodes, args, cancel)).ToLookup(
            row => row.Place,
            row => row.Hash
        );
        return Array.ConvertAll([.. nodes.Index()], place => Join(place.Item, [.. stored[place.Index + 1]]));
    }

    /// <summary>How far below a node the stored ones are.</summary>
    private static int Depth(Node node) => node.Level % Stride;

    private static byte[] Join(Node node, byte[][] below)
    {
        if (below.Length != 1 << Depth(node))
        {
            throw new LogBrokenException($"The log lacks a node below level {node.Level} at {node.Index}.");
        }

        for (var width = below.Length; width > 1; width /= 2)
        {
            for (var i = 0; i < width / 2; i++)
            {
                below[i] = Merkle.Join(below[2 * i], below[(2 * i) + 1]);
            }
        }

        return below[0];
    }

    private sealed record StoredNode(long Place, byte[] Hash);

    private static class Sql
    {
        public const string Nodes = """
            SELECT wanted.place, stored.hash
              FROM unnest(@Levels, @Firsts, @Lasts) WITH ORDINALITY AS wanted (level, first, last, place)
             CROSS JOIN LATERAL (
                   SELECT leaf_index AS node_index, leaf_hash AS hash
                     FROM log_leaves
                    WHERE wanted.level = 0
                      AND leaf_index BETWEEN wanted.first AND wanted.last
                    UNION ALL
                   SELECT node_index, hash
                     FROM log_nodes
                    WHERE level = wanted.level
                      AND node_index BETWEEN wanted.first AND wanted.last
                   ) AS stored
             ORDER BY wanted.place, stored.node_index
            """;
    }
}

/// <summary>
/// The stored log contradicts itself or what was signed: nothing more may be signed until somebody has looked.
/// </summary>
internal sealed class LogBrokenException(string message) : Exception(message);
